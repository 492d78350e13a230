"""What a webhook receiver's answer asks for."""

from __future__ import annotations

from datetime import datetime

from services.delivery.adapters.http.client import Answer
from services.delivery.errors import Fault, Permanent, Retryable

GONE = 410
_OVERLOADED = frozenset({429, 503})


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success.

    Whatever is not `gone` is tried again: a receiver that is being deployed, or whose keys are being changed, says
    404 or 401 and means later. Its words are not kept: they may repeat what it was sent.
    """
    code = str(answer.status)
    if answer.status == GONE:
        return Permanent("address-gone", code=code)
    reason = "provider-overloaded" if answer.status in _OVERLOADED else "provider-deferred"
    return Retryable(reason, code=code, after=answer.after(now))
