"""What the answers of APNs ask for."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.delivery.adapters.http.client import Answer
from services.delivery.errors import Fault, Overloaded, Permanent, Retryable, Unavailable

FORBIDDEN = 403
_GONE = 410


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success.

    A bad token (400) does not remove the device: it may be that of the sandbox, and the mistake ours.
    """
    status, code = answer.status, _reason(answer.body) or str(answer.status)
    if status == _GONE:
        return Permanent("address-gone", code=code)
    if status == FORBIDDEN:
        return Unavailable("provider-refuses-us", code=code)
    if status in (429, 503):
        return Overloaded("provider-overloaded", code=code, after=answer.after(now))
    if status >= 500:
        return Retryable("provider-deferred", code=code, after=answer.after(now))
    return Permanent("provider-refused", code=code)


def _reason(body: bytes) -> str | None:
    try:
        found = orjson.loads(body)["reason"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) and found.isalnum() else None
