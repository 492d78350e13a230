"""What an HTTP status asks for, where a provider's own words say no more."""

from __future__ import annotations

from datetime import datetime

from services.delivery.adapters.http.client import Answer
from services.delivery.errors import Fault, Overloaded, Permanent, Retryable, Unavailable, Uncertain

_REFUSED_US = frozenset({401, 403})


def of_status(answer: Answer, now: datetime, code: str | None, *, once: bool = False) -> Fault:
    """The fault of an answer that is no success; `code` is the provider's own, if it gave one.

    `once`: nobody could tell a second message from the first, so that a server error other than `too busy` leaves open
    whether it was made.
    """
    status, shown = answer.status, code or str(answer.status)
    if status in (429, 503):
        return Overloaded("provider-overloaded", code=shown, after=answer.after(now))
    if status >= 500:
        if once:
            return Uncertain("outcome-unknown", code=shown)
        return Retryable("provider-deferred", code=shown, after=answer.after(now))
    if status in _REFUSED_US:
        return Unavailable("provider-refuses-us", code=shown)
    return Permanent("provider-refused", code=shown)
