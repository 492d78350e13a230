"""Faults of ingest, named by the reaction that they ask for."""

from __future__ import annotations


class Retryable(Exception):
    """A neighbour is away; the same call may succeed after `after` seconds."""

    def __init__(self, reason: str, after: float = 1.0) -> None:
        super().__init__(reason)
        self.after = after


class Permanent(Exception):
    """The same call will fail again."""


class Unstorable(Permanent):
    """The database refuses a value, although it is valid by the contract."""


class PositionLost(Exception):
    """The records or the counts are not those that were being read: begin again from what is written down."""


class Overloaded(Retryable):
    """Too much is under way; the caller may come back after `after` seconds."""
