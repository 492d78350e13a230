"""`carillon sealing`: the master keys of sensitive data."""

from __future__ import annotations

import typer

from cli.adapters import rewrapping
from cli.outcome import fail, run
from cli.settings import SealedSettings
from libs.runtime.settings import load
from libs.sealing.masters import new_master

app = typer.Typer(help="Make and rotate the master keys of sensitive data.", no_args_is_help=True)


@app.command()
def new() -> None:
    """Print a new master key. It is stored nowhere: put it into CARILLON_SEALING_KEYS."""
    typer.echo(new_master())


@app.command()
def rewrap() -> None:
    """Wrap every data key by the first of CARILLON_SEALING_KEYS, so that the others can go. Safe to repeat."""
    settings = load(SealedSettings)
    found = run(rewrapping.rewrap(settings.postgres_dsn, settings.masters))
    typer.echo(f"{found.done} keys are wrapped by {settings.masters.current} now")
    if found.left:
        left = ", ".join(f"{count} by {master}" for master, count in sorted(found.left.items()))
        fail(f"keys that none of CARILLON_SEALING_KEYS opens: {left}")
