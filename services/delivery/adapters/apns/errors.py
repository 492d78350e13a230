"""What the answers of APNs ask for."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.delivery.adapters.http.client import Answer
from services.delivery.adapters.http.faults import of_status
from services.delivery.errors import Fault, Permanent

FORBIDDEN = 403
_GONE = 410


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success.

    A bad token (400) does not remove the device: it may be that of the sandbox, and the mistake ours.
    """
    code = _reason(answer.body)
    if answer.status == _GONE:
        return Permanent("address-gone", code=code or str(answer.status))
    return of_status(answer, now, code)


def _reason(body: bytes) -> str | None:
    try:
        found = orjson.loads(body)["reason"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) and found.isalnum() else None
