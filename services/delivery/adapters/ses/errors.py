"""What the answers of Amazon SES ask for."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.delivery.adapters.http.client import Answer
from services.delivery.adapters.http.faults import of_status
from services.delivery.errors import Fault, Overloaded, Permanent, Unavailable

_THROTTLED = frozenset({"TooManyRequestsException", "ThrottlingException", "LimitExceededException"})
#: Nothing can be sent until somebody has spoken with Amazon, or verified the sender.
_OURS = frozenset({"AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException"})
_REFUSED = "MessageRejected"


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success. A repeat has the same content, so that a server error is repeated."""
    word = code(answer)
    if word in _THROTTLED:
        return Overloaded("provider-overloaded", code=word, after=answer.after(now))
    if word in _OURS:
        return Unavailable("provider-refuses-us", code=word)
    if word == _REFUSED:
        return Permanent("provider-refused", code=word)
    return of_status(answer, now, word)


def code(answer: Answer) -> str | None:
    """Amazon's name of an error. Never its message, which may repeat the address."""
    found = answer.headers.get("x-amzn-errortype", "").partition(":")[0]
    return found if found.isalpha() else None


def message_id(body: bytes) -> str | None:
    """Amazon's name of the message; it stands in its Message-ID too."""
    try:
        found = orjson.loads(body)["MessageId"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) and len(found) <= 200 else None
