"""Errors by the reaction that they ask for."""

from __future__ import annotations


class Retryable(Exception):
    """A neighbour is away. `after` is in how many seconds the caller should try again."""

    def __init__(self, reason: str, after: float = 2.0) -> None:
        super().__init__(reason)
        self.after = after


class FeedBreak(Exception):
    """The feed may have missed something: register interest again, compare heads, go on."""


class LeaseLost(FeedBreak):
    """Another gateway holds the slot now: take a different one."""
