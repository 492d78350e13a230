"""`carillon mock`: a development server with sample events (F1-8)."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.outcome import AWAY, Exit, fail


def mock(
    every: Annotated[float, typer.Option(min=0.0, help="Seconds between two samples.")] = 3.0,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of all samples; without it, until Ctrl-C.")] = None,
) -> None:
    """Run everything on this machine and send sample notifications of every kind, for developing clients.

    The same ports, data and token as `make run`; needs a checkout with `make setup`.
    """
    try:
        # The other commands run where nothing of the development stack is installed.
        from devstack.mock import serve  # noqa: PLC0415
    except ImportError as error:
        fail(f"the development stack is not installed ({error.name}): run `make setup` in a checkout", Exit.USAGE)
    try:
        serve(every, rounds)
    except AWAY as fault:
        fail(f"{type(fault).__name__}: {fault}; does another stack run on the development ports?", Exit.AWAY)
