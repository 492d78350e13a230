"""What FCM's answers ask for."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.delivery.adapters.http.client import Answer
from services.delivery.adapters.http.faults import of_status
from services.delivery.errors import Fault, Permanent, Unavailable

UNAUTHENTICATED = 401
_NOT_FOUND, _GONE = 404, "UNREGISTERED"
_OTHERS = "SENDER_ID_MISMATCH"  # 403, of the one device: it belongs to another sender


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success."""
    code = word(answer.body)
    if answer.status == _NOT_FOUND or code == _GONE:
        return Permanent("address-gone", code=code or str(answer.status))
    if code == _OTHERS:
        return Permanent("provider-refused", code=code)
    return of_status(answer, now, code)


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
