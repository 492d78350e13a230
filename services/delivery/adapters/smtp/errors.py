"""What an SMTP server's answer, or its silence, asks for."""

from __future__ import annotations

import re

from services.delivery.errors import Fault, Overloaded, Permanent, Retryable, Unavailable

_MAX_DETAIL = 200
_ADDRESS = re.compile(r"\S*@\S*")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

# Credentials or encryption are missing or wrong: a matter between the server and us, not of this mail.
_OURS = frozenset({454, 530, 534, 535, 538})
# The service closes the channel, or a mailbox or the storage is busy: the server has too much to do.
_BUSY = frozenset({421, 450, 452})


def of_answer(code: int, text: str) -> Fault:
    """The fault of an answer that is not the expected one (RFC 5321, 4.2)."""
    kind, reason = _reaction(code)
    return kind(reason, code=str(code), detail=masked(text))


def _reaction(code: int) -> tuple[type[Fault], str]:
    if code in _OURS:
        return Unavailable, "provider-refuses-us"
    if code in _BUSY:
        return Overloaded, "provider-overloaded"
    if 500 <= code <= 599:
        return Permanent, "provider-refused"
    return Retryable, "provider-deferred"  # 4xx, and what makes no sense: the next answer may


def of_connecting(error: Exception, code: int | None = None) -> Fault:
    """The fault of a connection that was never ready: nothing was said about any mail."""
    return Unavailable("provider-unavailable", code=str(code) if code else None, detail=type(error).__name__)


def masked(text: str) -> str:
    """A server's words without addresses, on one line."""
    return _ADDRESS.sub("***", _UNPRINTABLE.sub(" ", text))[:_MAX_DETAIL].strip()
