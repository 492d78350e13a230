"""One line for each step of a start: what is being done, then how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """Prints steps to a console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Run a block as a step. Steps may run at the same time: each prints once, when it ends."""
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self.console.print(f"[red]✗[/] {what} failed after {time.monotonic() - began:.1f} s")
            raise
        self.console.print(f"[green]✓[/] {what} [dim]in {time.monotonic() - began:.1f} s[/]")

    def note(self, text: str) -> None:
        """A line that is not a step."""
        self.console.print(f"  {text}")


class Silent(Progress):
    """For tests: prints nothing."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
