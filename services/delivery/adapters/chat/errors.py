"""What the answers of Slack, Discord and Teams ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import orjson

from services.delivery.adapters.http.client import Answer
from services.delivery.errors import Fault, Permanent, Retryable

Reading = Callable[[Answer, datetime], Fault | None]

_GONE = frozenset({404, 410})
_LATER = frozenset({408, 425})
_WORD = re.compile(rb"[a-z_]{1,60}")
_DISCORD_GONE = frozenset({10015, 50027})  # unknown webhook, invalid webhook token
_TEAMS_FAILED = re.compile(rb"failed with error(?:.*?HTTP error (\d{3}))?", re.DOTALL)


def slack(answer: Answer, now: datetime) -> Fault | None:
    """Slack's word for an error is a code: `channel_is_archived`, `invalid_payload`."""
    word = answer.body.strip()
    return _of_status(answer, now, word.decode() if _WORD.fullmatch(word) else None)


def discord(answer: Answer, now: datetime) -> Fault | None:
    """Discord's code of an error is a number."""
    number = _discord_code(answer.body) if answer.status >= 400 else None
    if number in _DISCORD_GONE:
        return Permanent("address-gone", code=str(number))
    return _of_status(answer, now, str(number) if number else None)


def teams(answer: Answer, now: datetime) -> Fault | None:
    """Connectors say 200 also where Teams has refused, and why in the text."""
    failed = _TEAMS_FAILED.search(answer.body) if answer.status == 200 else None
    if failed is None:
        return _of_status(answer, now, None)
    return _of_status(Answer(int(failed[1] or 500), answer.headers, b""), now, None)


def _of_status(answer: Answer, now: datetime, word: str | None) -> Fault | None:
    status, code = answer.status, word or str(answer.status)
    if 200 <= status < 300:
        return None
    if status in _GONE:
        return Permanent("address-gone", code=code)
    if status in (429, 503):
        return Retryable("provider-overloaded", code=code, after=answer.after(now))
    if status >= 500 or status in _LATER:
        return Retryable("provider-deferred", code=code, after=answer.after(now))
    return Permanent("provider-refused", code=code)


def _discord_code(body: bytes) -> int | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, int) else None
