"""Twilio's call-backs: the status of a message, and what a person answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.ingest.domain.reports import Event, Report

Form = Sequence[tuple[str, str]]

PROVIDER = "twilio"
_EVENTS: dict[str, Event] = {"sent": "sent", "delivered": "delivered", "failed": "failed", "undelivered": "failed"}
# https://www.twilio.com/docs/api/errors: the number is none, has no phone behind it, or takes no texts
_DEAD_NUMBERS = frozenset({"30005", "30006", "21211", "21614"})
_OPTED_OUT = "21610"
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "YES", "UNSTOP"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's word on being sent texts: no more (`out`), or again."""

    number: str
    out: bool


def is_signed(signature: str, url: str, form: Form, token: str) -> bool:
    """Whether Twilio signed a POST of this form to this address, as it was called there."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    expected = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest())
    return hmac.compare_digest(expected, signature.encode())


def report(form: Form, tenant: str | None, delivery: str | None) -> Report | None:
    """What a status says; None where it is of no interest. The delivery is named in the address that was called."""
    said = dict(form)
    event = _EVENTS.get(said.get("MessageStatus", ""))
    if event is None:
        return None
    code = said.get("ErrorCode") or None
    if event == "failed" and code in _DEAD_NUMBERS:
        event = "bounced"
    elif event == "failed" and code == _OPTED_OUT:
        event = "opted-out"
    named = (tenant, UUID(delivery)) if tenant and delivery else None
    return Report(event, PROVIDER, named, said.get("MessageSid"), said.get("To"), code)


def answer(form: Form) -> Answer | None:
    """What a person's text means; None where it is about something else."""
    said = dict(form)
    word = (said.get("OptOutType") or said.get("Body") or "").strip().upper()
    if word in _STOP or word in _START:
        return Answer(said.get("From", ""), word in _STOP)
    return None
