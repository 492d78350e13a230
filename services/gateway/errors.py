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


class Unauthorized(Exception):
    """The caller may not come in. `code` is one of docs/errors.md."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code

    @property
    def expired(self) -> bool:
        """Whether a new token would help."""
        return self.code == "expired-token"
