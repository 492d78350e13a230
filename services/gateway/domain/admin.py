"""What administrators ask of the log of notifications, and how its lines look (F4-4, S18)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from libs.catalogue.paths import masked
from libs.runtime.clock import iso
from services.gateway.domain.inbox import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LogFilters:
    """What the log is narrowed to; None does not narrow."""

    user: str | None = None
    event: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class LogPlace(NamedTuple):
    """A line of the log: when its notification was accepted, which it is, and the number of the room in it."""

    at: datetime
    notification: UUID
    room: int


def cursor(place: LogPlace) -> str:
    """The opaque text of a line."""
    micros = (place.at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(orjson.dumps([micros, str(place.notification), place.room])).decode().rstrip("=")


def place(text: str) -> LogPlace | None:
    """The line of a cursor, or None when the text is not one of ours."""
    try:
        micros, notification, room = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if type(micros) is not int or type(room) is not int or not 0 <= room < 2**63:
            return None
        return LogPlace(_EPOCH + timedelta(microseconds=micros), UUID(notification), room)
    except (ValueError, TypeError, OverflowError, AttributeError, binascii.Error):
        return None


def line(row: Row, *, with_payload: bool, sensitive: tuple[str, ...] = ()) -> dict[str, Any]:
    """A line in the names of 004's table. The payload is the notification's own, so it goes when that is erased; what
    stands at the `sensitive` paths of its data is masked."""
    room = row["room"]
    delivered_at = row["delivered_at"]
    shown = {
        "id": f"{row['notification']}:{row['n']}",
        "notification_id": str(row["notification"]),
        "user_id": room.removeprefix("user:") if room.startswith("user:") else None,
        "room": room,
        "event": row["event"],
        "type": row["type"],
        "delivered": row["delivered"],
        "delivered_at": None if delivered_at is None else iso(delivered_at),
        "error": row["error"],
        "created_at": iso(row["created_at"]),
    }
    return shown | {"payload": _payload(row["payload"], sensitive)} if with_payload else shown


def _payload(text: str, sensitive: tuple[str, ...]) -> Any:
    if not sensitive:
        return orjson.Fragment(text)
    payload = orjson.loads(text)
    return payload | {"data": masked(payload.get("data") or {}, sensitive)}


def rates(stats: dict[str, Any]) -> dict[str, Any]:
    """The figures with what follows from them: shares between 0 and 1, None where there is nothing to share."""
    delivered = failed = 0
    for states in stats["channels"].values():
        delivered += sum(states.get(state, 0) for state in ("sent", "delivered"))
        failed += sum(states.get(state, 0) for state in ("failed", "bounced", "unknown", "expired"))
    sent = delivered + failed
    own = stats["inApp"]
    return stats | {
        "deliveryRate": _share(delivered, sent),
        "errorRate": _share(failed, sent),
        "readRate": _share(own["read"], own["personal"]),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
