"""The dialect of `/` against the payloads of document 000 (F0-5, S5, S7)."""

from __future__ import annotations

from typing import Any

import pytest

from libs.schemas.events import EVENT_NAMES
from services.gateway.domain.logs import Entry, Head
from tests.unit.gateway.shaping import (
    AT,
    DIALECTS,
    ID,
    METADATA,
    POSITION,
    ROOM,
    SINGLE,
    STAMP,
    STATE_POSITION,
    WHOLE,
    changed,
    new,
    withdrawn,
)
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("F0-5", "S5", "S7")

root = DIALECTS["/"]

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
    name, payload, personal = new(root, event=event, name="a.b.c", data={"k": 1})
    assert (name, personal) == (event, None)
    assert payload.keys() - ADDITIVE == DOCUMENTED[event]
    assert payload["metadata"] == METADATA | {"notificationId": str(ID)}
    assert payload["data"] == {"k": 1}
    assert payload["readByUserIds"] == []
    assert payload["createdAt"] == STAMP
    assert payload["position"] == POSITION


def test_the_document_s_example_of_an_agent_that_thinks() -> None:
    metadata = {
        "correlationId": "exec-abc-789",
        "orgId": "org-abc-456",
        "userId": "user-456",
        "agentId": "agent-code-helper-123",
        "timestamp": "2025-10-17T13:00:00Z",
    }
    data = {"executionId": "exec-abc-789", "thought": "Let me examine the src/ directory", "progress": 30}
    texts = {"title": "Agent Thinking", "message": "Analyzing your codebase structure..."}
    event, payload, _ = new(root, event="agent.event", name="thinking", metadata=metadata, data=data, **texts)
    assert event == "agent.event"
    documented = {key: payload[key] for key in DOCUMENTED[event]}
    assert documented == texts | {
        "name": "thinking",
        "severity": "normal",
        "metadata": metadata | {"notificationId": str(ID)},
        "data": data,
        "readByUserIds": [],
        "createdAt": STAMP,
    }


def test_the_text_of_a_service_event_is_beside_it() -> None:
    payload = new(root, event="service.event", name="a.b.c", title="Resource Updated", message="it occurred").payload
    assert payload["display"] == {"title": "Resource Updated", "message": "it occurred"}
    assert "title" not in payload
    assert "data" not in payload


def test_reading_and_deleting_are_the_document_s() -> None:
    read = {"notificationId": str(ID), "userId": "u", "readAt": STAMP, "position": STATE_POSITION}
    assert changed(root, "read") == ("notification.read", read)
    deleted = {"notificationId": str(ID), "deletedAt": STAMP, "position": STATE_POSITION}
    assert changed(root, "deleted") == ("notification.deleted", deleted)


def test_what_the_document_does_not_name_is_named_in_its_style() -> None:
    assert {changed(root, operation)[0] for operation in SINGLE} == {f"notification.{name}" for name in SINGLE}
    assert {changed(root, operation)[0] for operation in WHOLE} == {f"notifications.{name}" for name in WHOLE}
    everything = {"userId": "u", "positions": {ROOM: 4}, "readAt": STAMP, "position": STATE_POSITION}
    assert changed(root, "read_all") == ("notifications.read_all", everything)
    assert changed(root, "snoozed", until=AT)[1]["snoozedUntil"] == STAMP
    seen = {"notificationId": str(ID), "seenAt": STAMP, "position": STATE_POSITION}
    assert changed(root, "seen", notification_id=ID, positions=None) == ("notification.seen", seen)
    event, payload = withdrawn(root)
    assert event == "notification.withdrawn"
    assert payload == {
        "notificationId": str(ID), "reason": "cancelled", "withdrawnAt": STAMP, "position": POSITION
    }  # fmt: skip


def test_a_control_entry_shows_nothing() -> None:
    assert root.entry(ROOM, Entry(7, 3, None)) is None


def test_connected_and_errors() -> None:
    event, payload, _ = root.connected(identity(), ("user:u",), {"user:u": Head(1, 2)}, AT)
    assert event == "connected"
    expected = {"userId": "u", "rooms": ["user:u"], "timestamp": STAMP, "position": {"user:u": [1, 2]}}
    assert payload == expected
    error = {"code": "UNAUTHORIZED", "message": "Invalid or expired JWT token", "timestamp": STAMP}
    assert root.unauthorized(AT, expired=True) == ("error", error, None)
    assert root.connected(identity(user_id=None, agent_id="a"), (), {}, AT).payload["agentId"] == "a"
