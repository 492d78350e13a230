"""Faults of the router, named by the reaction that they ask for."""

from __future__ import annotations

from services.router.domain.offsets import Stretch


class Missing(Exception):
    """Read again: offsets that were never dealt with stand before the record at `index` of the batch."""

    def __init__(self, index: int, stretch: Stretch) -> None:
        super().__init__(f"{stretch.partition[0]}:{stretch.partition[1]} {stretch.start} to {stretch.stop - 1}")
        self.index, self.stretch = index, stretch


class Retryable(Exception):
    """Do it again: what it built on has changed."""


class GivenBack(Exception):
    """Stop without a trace: the work is not done, nothing was acknowledged, and it will come again."""


class Misconfigured(Exception):
    """Do not start: no waiting would mend it."""
