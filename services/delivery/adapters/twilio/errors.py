"""What Twilio's answers ask for."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.delivery.adapters.http.client import Answer
from services.delivery.adapters.http.faults import of_status
from services.delivery.errors import Fault, Permanent, Unavailable

# https://www.twilio.com/docs/api/errors
_BAD_NUMBER = frozenset({21211, 21214, 21217, 21219, 21401, 21421, 21614})
_OPTED_OUT = 21610
_NO_ACCOUNT = 404


def of_answer(answer: Answer, now: datetime) -> Fault:
    """The fault of an answer that is no success.

    A server error other than `too busy` leaves open whether the message was made: nobody could tell a second one.
    """
    number = code(answer.body)
    shown = str(number) if number else None
    if number == _OPTED_OUT:
        return Permanent("recipient-opted-out", code=shown)
    if number in _BAD_NUMBER:
        return Permanent("bad-address", code=shown)
    if answer.status == _NO_ACCOUNT:
        return Unavailable("provider-refuses-us", code=shown or str(answer.status))
    return of_status(answer, now, shown, once=True)


def code(body: bytes) -> int | None:
    """Twilio's number of an error. Never its message, which repeats the number that was called."""
    found = _field(body, "code")
    return found if isinstance(found, int) else None


def message_id(body: bytes) -> str | None:
    """Twilio's name of the message that it made."""
    found = _field(body, "sid")
    return found if isinstance(found, str) and found.isalnum() else None


def _field(body: bytes, name: str) -> object:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found.get(name) if isinstance(found, dict) else None
