"""What FCM's answers ask for."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.delivery.adapters.http.client import Answer
from services.delivery.errors import Fault, Overloaded, Permanent, Retryable, Unavailable

UNAUTHENTICATED = 401
_GONE = "UNREGISTERED"


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success."""
    status, code = answer.status, word(answer.body) or str(answer.status)
    if status == 404 or code == _GONE:
        return Permanent("address-gone", code=code)
    if status == UNAUTHENTICATED:
        return Unavailable("provider-refuses-us", code=code)
    if status in (429, 503):
        return Overloaded("provider-overloaded", code=code, after=answer.after(now))
    if status >= 500:
        return Retryable("provider-deferred", code=code, after=answer.after(now))
    return Permanent("provider-refused", code=code)


def of_token_answer(answer: Answer) -> Fault:
    """The fault of a refused access token: a matter between Google and us."""
    return Unavailable("provider-refuses-us", code=f"oauth {answer.status}")


def word(body: bytes) -> str | None:
    """FCM's own code, else the status of its API. Never its message, which may repeat what it was sent."""
    try:
        error = orjson.loads(body)["error"]
        codes = [detail["errorCode"] for detail in error.get("details", ()) if "errorCode" in detail]
        found = codes[0] if codes else error.get("status")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found, str) and found.replace("_", "").isalpha() else None
