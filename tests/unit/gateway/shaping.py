"""Records to be shaped by dialects, and what they are shaped into."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from libs.catalogue.catalogue import shipped
from libs.schemas.records import RoomEntry, StateChange, StateOperation, Withdrawal
from services.gateway.domain.dialects.dialect import Dialect, Emission
from services.gateway.domain.dialects.registry import dialects
from services.gateway.domain.logs import Entry
from services.gateway.domain.notification import Notification, Place
from services.gateway.domain.recipients import RecipientIds

ID = UUID("5f1c5c52-0d43-5a0a-9d43-0f7f0c3a7e11")
AT = datetime(2025, 10, 17, 10, 0, tzinfo=UTC)
STAMP = "2025-10-17T10:00:00.000Z"
METADATA = {"correlationId": "c", "orgId": "o", "userId": "u", "agentId": "a", "timestamp": "2025-10-17T10:00:00Z"}
ROOM, POSITION = "org:o", {"room": "org:o", "epoch": 7, "seq": 3}
STATE_POSITION = {"state": [1, 9]}

RECIPIENTS = RecipientIds(b"k" * 32)
DIALECTS = dialects(lambda _: shipped(), RECIPIENTS)

#: What concerns one notification, and what concerns all up to a position.
SINGLE: tuple[StateOperation, ...] = ("read", "unread", "archived", "unarchived", "snoozed", "unsnoozed", "deleted")
WHOLE: tuple[StateOperation, ...] = ("read_all", "seen", "cleared")


def record(**fields: Any) -> Notification:
    given: dict[str, Any] = {
        "tenant": "t",
        "id": str(ID),
        "event": "system.notification",
        "type": "system.notification",
        "title": "T",
        "message": "M",
        "metadata": METADATA,
        "created_at": AT,
        "rooms": (Place(ROOM, 7, 3),),
    }
    return Notification(**(given | fields))


def shaped(dialect: Dialect, room: str, entry: Entry) -> Emission:
    emission = dialect.entry(room, entry)
    assert emission is not None
    return emission


def new(dialect: Dialect, **fields: Any) -> Emission:
    """A notification in the dialect."""
    return shaped(dialect, ROOM, Entry(7, 3, record(**fields)))


def changed(dialect: Dialect, operation: StateOperation, **fields: Any) -> tuple[str, Mapping[str, Any]]:
    """(event, payload) of a state change, of one notification or of all up to positions."""
    single: dict[str, Any] = {"notification_id": ID, "room": ROOM, "room_seq": 3}
    about = single if operation in SINGLE else {"positions": {ROOM: 4}}
    change = StateChange(tenant="t", user_id="u", epoch=1, seq=9, at=AT, operation=operation, **(about | fields))
    event, payload, personal = shaped(dialect, "state:u", Entry(1, 9, change))
    assert personal is None
    return event, payload


def withdrawn(dialect: Dialect) -> tuple[str, Mapping[str, Any]]:
    """(event, payload) of a notification that was cancelled."""
    places = (RoomEntry(room=ROOM, epoch=7, seq=3),)
    withdrawal = Withdrawal(tenant="t", notification_id=ID, reason="cancelled", at=AT, rooms=places)
    event, payload, _ = shaped(dialect, ROOM, Entry(7, 3, withdrawal))
    return event, payload
