"""The dialect of `/` against the payloads of document 000 (F0-5, S5, S7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.schemas.events import EVENT_NAMES
from libs.schemas.records import NotificationEmission, RoomEntry, StateChange
from services.gateway.domain.dialects.root import Root
from services.gateway.domain.logs import Entry, Head
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("F0-5", "S5", "S7")

root = Root()

ID = UUID("5f1c5c52-0d43-5a0a-9d43-0f7f0c3a7e11")
AT = datetime(2025, 10, 17, 10, 0, tzinfo=UTC)
STAMP = "2025-10-17T10:00:00.000Z"
METADATA = {"correlationId": "c", "orgId": "o", "userId": "u", "agentId": "a", "timestamp": "2025-10-17T10:00:00Z"}


def record(**fields: Any) -> NotificationEmission:
    given: dict[str, Any] = {"tenant": "t", "id": ID, "type": "x", "metadata": METADATA, "created_at": AT}
    return NotificationEmission(rooms=(RoomEntry(room="org:o", epoch=7, seq=3),), **(given | fields))


def emitted(**fields: Any) -> tuple[str, Mapping[str, Any]]:
    emission = root.entry("org:o", Entry(7, 3, record(**fields)))
    assert emission is not None
    assert emission.personal is None
    return emission.event, emission.payload


# The top-level fields of 000 §3.2–3.5; everything else that is emitted is additive.
DOCUMENTED = {
    "system.notification": {"title", "message", "severity", "metadata", "data", "readByUserIds", "createdAt"},
    "service.event": {"name", "metadata", "data", "readByUserIds", "createdAt"},
    "service.alert": {"title", "message", "severity", "metadata", "data", "readByUserIds", "createdAt"},
    "agent.event": {"name", "title", "message", "severity", "metadata", "data", "readByUserIds", "createdAt"},
}
ADDITIVE = {"type", "priority", "actor", "related", "actionUrl", "tags", "traceparent", "display", "position"}


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_payloads_are_those_of_the_document(event: Any) -> None:
    name, payload = emitted(event=event, name="a.b.c", title="T", message="M", data={"k": 1})
    assert name == event
    assert payload.keys() - ADDITIVE == DOCUMENTED[event]
    assert payload["metadata"] == METADATA | {"notificationId": str(ID)}
    assert payload["data"] == {"k": 1}
    assert payload["readByUserIds"] == []
    assert payload["createdAt"] == STAMP
    assert payload["position"] == {"room": "org:o", "epoch": 7, "seq": 3}


def test_the_text_of_a_service_event_is_beside_it() -> None:
    _, payload = emitted(event="service.event", name="a.b.c", title="Resource Updated", message="a.b.c occurred")
    assert payload["display"] == {"title": "Resource Updated", "message": "a.b.c occurred"}
    assert "title" not in payload
    assert "data" not in payload


def change(**fields: Any) -> tuple[str, Mapping[str, Any]]:
    state = StateChange(tenant="t", user_id="u", epoch=1, seq=9, at=AT, **fields)
    emission = root.entry("state:u", Entry(1, 9, state))
    assert emission is not None
    assert emission.personal is None
    return emission.event, emission.payload


def test_state_changes() -> None:
    position = {"state": [1, 9]}
    assert change(operation="read", notification_id=ID) == (
        "notification.read",
        {"notificationId": str(ID), "userId": "u", "readAt": STAMP, "position": position},
    )
    assert change(operation="deleted", notification_id=ID) == (
        "notification.deleted",
        {"notificationId": str(ID), "deletedAt": STAMP, "position": position},
    )
    assert change(operation="unread", notification_id=ID)[0] == "notification.unread"
    assert change(operation="read_all", positions={"org:o": 4}) == (
        "notifications.read_all",
        {"userId": "u", "positions": {"org:o": 4}, "readAt": STAMP, "position": position},
    )


def test_a_control_entry_shows_nothing() -> None:
    assert root.entry("org:o", Entry(7, 3, None)) is None


def test_connected_and_errors() -> None:
    event, payload, _ = root.connected(identity(), ("user:u",), {"user:u": Head(1, 2)}, AT)
    assert event == "connected"
    expected = {"userId": "u", "rooms": ["user:u"], "timestamp": STAMP, "position": {"user:u": [1, 2]}}
    assert payload == expected
    error = {"code": "UNAUTHORIZED", "message": "Invalid or expired JWT token", "timestamp": STAMP}
    assert root.unauthorized(AT, expired=True) == ("error", error, None)
    assert root.connected(identity(user_id=None, agent_id="a"), (), {}, AT).payload["agentId"] == "a"
