"""The inbox: what may be asked of it, and the cursor that marks a place in it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

import orjson

from libs.auth.tokens import Identity
from services.gateway.domain.access import claimed_rooms, own_rooms

MAX_LIMIT = 100
MAX_OFFSET = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


#: What is done to all of the inbox up to a position of each room, with one entry of the state log.
PositionOperation = Literal["read_all", "seen", "cleared"]

#: What a client has seen of each room: a seq, or [epoch, seq] as in its position.
Seen = Mapping[str, int | tuple[int, int]]


class Row(Protocol):
    """A row of the inbox, by the column names of inbox.sql; JSON columns are text."""

    def __getitem__(self, column: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: `own` are the rooms that are theirs by who they are, `claimed` what their token claims."""

    tenant: str
    reader: str
    own: tuple[str, ...]
    claimed: tuple[str, ...]


def reader(identity: Identity) -> Reader:
    """The reader that a token speaks for."""
    return Reader(identity.tenant, identity.reader, own_rooms(identity), claimed_rooms(identity))


class Place(NamedTuple):
    """The place of a row in the inbox, whose order is newest first, then by room, then by seq downwards."""

    at: datetime
    room: str
    seq: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page is narrowed to; None does not narrow. `since` and `until` are when it came into the inbox.

    What is archived or snoozed is listed only where it is asked for. `text` stands in title or message, in any case.
    """

    event: str | None = None
    name: str | None = None
    types: tuple[str, ...] | None = None
    severity: str | None = None
    tag: str | None = None
    org: str | None = None
    agent: str | None = None
    unread: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    archived: bool = False
    snoozed: bool = False
    text: str | None = None


class Count(NamedTuple):
    """How many of a type are unread, and how many the reader has not seen."""

    type: str
    unread: int
    unseen: int


def cursor(place: Place) -> str:
    """The opaque text of a place."""
    micros = (place.at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(orjson.dumps([micros, place.room, place.seq])).decode().rstrip("=")


def place(text: str) -> Place | None:
    """The place of a cursor, or None when the text is not one of ours."""
    try:
        value = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        micros, room, seq = value
        if [type(part) for part in value] != [int, str, int] or "\x00" in room or abs(seq) >= 2**63:
            return None
        return Place(_EPOCH + timedelta(microseconds=micros), room, seq)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        return None


def seen_positions(value: Seen | None, ends: dict[str, int]) -> dict[str, int]:
    """Up to where "mark all read" reads each room: what the client names as seen, never past the end; all, if nothing.

    `value` is `{room: seq}` or a client's position, `{room: [epoch, seq]}`.
    """
    if value is None:
        return ends
    named = {room: at if isinstance(at, int) else at[1] for room, at in value.items()}
    return {room: min(seq, ends[room]) for room, seq in named.items() if room in ends}
