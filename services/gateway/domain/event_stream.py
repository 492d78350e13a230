"""Server-sent events: frames, and the position of a stream as the id that a client sends back (F4-3, B9)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson

#: Log name → [epoch, seq], as clients keep it.
WirePosition = dict[str, list[int]]

#: A comment: it keeps the connection open and says nothing.
COMMENT = b":\n\n"


def event_id(position: Mapping[str, list[int]]) -> str:
    """The id of an event after which the client stands at this position: opaque text without line breaks."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def position_of(text: str | None) -> Any:
    """What an id stands for, to be checked as any position of a client; None when it is none of ours."""
    if not text:
        return None
    try:
        return orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return None


def moved(position: Mapping[str, list[int]], payload: Mapping[str, Any]) -> WirePosition | None:
    """The position after an event with this payload; None when it says nothing of one."""
    at = payload.get("position")
    if not isinstance(at, Mapping):
        return None
    return {**position, **({at["room"]: [at["epoch"], at["seq"]]} if "room" in at else at)}


def body(event: str, payload: Mapping[str, Any]) -> bytes:
    """An event without its id and its end: the same bytes for everybody. A pause before coming back is told as well."""
    retry = payload.get("reconnectInMs", payload.get("retryInMs"))
    told = b"" if not isinstance(retry, int) else b"retry: %d\n" % retry
    return told + b"event: " + event.encode() + b"\ndata: " + orjson.dumps(payload) + b"\n"


def framed(body_: bytes, id_: str | None = None) -> bytes:
    """The whole event."""
    return body_ + (b"\n" if id_ is None else b"id: " + id_.encode() + b"\n\n")
