"""What Amazon SNS's answers ask for."""

from __future__ import annotations

import re
from datetime import datetime

from services.delivery.adapters.http.client import Answer
from services.delivery.adapters.http.faults import of_status
from services.delivery.errors import Fault, Overloaded, Permanent

_CODE = re.compile(rb"<Code>([A-Za-z.]{1,60})</Code>")
_MESSAGE_ID = re.compile(rb"<MessageId>([0-9a-f-]{1,60})</MessageId>")
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "Throttled", "TooManyRequestsException"})
_BAD_NUMBER = frozenset({"InvalidParameter", "InvalidParameterValue"})
_OPTED_OUT = "OptedOut"


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success. A server error leaves open whether the message was made."""
    word = code(answer.body)
    if word in _THROTTLED:
        return Overloaded("provider-overloaded", code=word, after=answer.after(now))
    if word == _OPTED_OUT:
        return Permanent("recipient-opted-out", code=word)
    if word in _BAD_NUMBER:
        return Permanent("bad-address", code=word)
    return of_status(answer, now, word, once=True)


def code(body: bytes) -> str | None:
    """Amazon's code of an error. Never its message, which may repeat the number."""
    found = _CODE.search(body)
    return found[1].decode() if found else None


def message_id(body: bytes) -> str | None:
    """Amazon's name of the message that it made."""
    found = _MESSAGE_ID.search(body)
    return found[1].decode() if found else None
