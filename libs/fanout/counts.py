"""What the transport has done so far, for metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Totals since the start.

    `slow`: clients cut off because they did not read; `idle`: closed because they joined no namespace;
    `flooding`: closed because they sent too much; `violations`: closed because they broke the protocol;
    `timeouts`: closed because they answered no ping; `unfinished`: closed because their request never came.
    """

    opened: int = 0
    slow: int = 0
    idle: int = 0
    flooding: int = 0
    violations: int = 0
    timeouts: int = 0
    unfinished: int = 0
