"""What went wrong with a call to a provider, named by the reaction that it asks for."""

from __future__ import annotations


class Fault(Exception):
    """A call that did not succeed.

    `reason` is the ledger's word for it (README.md lists them), `code` the provider's own, `detail` the provider's
    words without addresses and content, `after` how many seconds the provider asked to wait.
    """

    def __init__(self, reason: str, *, code: str | None = None, detail: str | None = None, after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.code, self.detail, self.after = reason, code, detail, after


class Retryable(Fault):
    """The provider has not taken it and may take it later."""


class Overloaded(Retryable):
    """As Retryable, and the provider wants fewer calls from us."""


class Unavailable(Fault):
    """The provider could not be asked at all: nothing was said about this delivery, so no attempt is counted."""


class Uncertain(Fault):
    """The provider was handed everything and did not say whether it took it."""


class Permanent(Fault):
    """The provider will never take it."""


class Invalid(Fault):
    """It cannot be sent: the provider was not asked."""
