"""What a browser's push service's answer asks for (RFC 8030, 8292)."""

from __future__ import annotations

from datetime import datetime

from services.delivery.adapters.http.client import Answer
from services.delivery.errors import Fault, Permanent, Retryable

_GONE = frozenset({404, 410})


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success. Each push service is a server of its own (adapters/http/posting)."""
    status, code = answer.status, str(answer.status)
    if status in _GONE:
        return Permanent("address-gone", code=code)
    if status in (429, 503):
        return Retryable("provider-overloaded", code=code, after=answer.after(now))
    if status >= 500:
        return Retryable("provider-deferred", code=code, after=answer.after(now))
    return Permanent("provider-refused", code=code)  # 401, 403: subscribed with another key than ours
