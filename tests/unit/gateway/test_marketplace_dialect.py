"""The dialect of `/ws/notifications` against the event lists of document 004 (F4-1, F4-2, S5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from libs.catalogue.catalogue import shipped
from libs.schemas.events import EventName
from tests.unit.gateway.shaping import AT, DIALECTS, ID, METADATA, POSITION, SINGLE, STAMP, changed, new, withdrawn
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("F4-1", "F4-2", "S5")

marketplace = DIALECTS["/ws/notifications"]
NOTIFICATIONS = (
    "booking.created",
    "booking.accepted",
    "booking.reminder",
    "booking.completed",
    "review.created",
    "nearby-job",
    "system.maintenance",
)


@pytest.mark.parametrize("name", NOTIFICATIONS)
def test_the_seven_events_have_their_own_names(name: str) -> None:
    assert new(marketplace, event="service.event", type=name, name=name).event == name


def test_everything_else_has_the_name_of_its_event() -> None:
    assert new(marketplace, event="service.alert", type="service.alert").event == "service.alert"
    assert new(marketplace, event="service.event", type="my.own.type").event == "service.event"


@pytest.mark.parametrize("event", get_args(EventName))
@pytest.mark.parametrize("key", [kind.key for kind in shipped().types] + ["my.own.type"])
def test_only_here_the_type_gives_the_name(event: EventName, key: str) -> None:
    kind = shipped().get(key)
    names = {} if kind is None else kind.wire_names
    assert new(marketplace, event=event, type=key).event == names.get("/ws/notifications", event)
    assert new(DIALECTS["/"], event=event, type=key).event == event
    assert {new(DIALECTS[name], event=event, type=key).event for name in ("/events", "/notifications")} == {
        "notification:new"
    }


def test_a_notification_is_flat() -> None:
    payload: Mapping[str, Any] = new(marketplace, event="service.event", type="nearby-job", data={"jobId": 7}).payload
    assert payload == {
        "id": str(ID),
        "event": "service.event",
        "type": "nearby-job",
        "name": None,
        "title": "T",
        "message": "M",
        "severity": "normal",
        "data": {"jobId": 7},
        "metadata": METADATA,
        "actionUrl": None,
        "tags": [],
        "createdAt": STAMP,
        "position": POSITION,
    }


def test_what_happened_to_the_inbox_is_named_like_notification_read() -> None:
    read = {"notificationId": str(ID), "readAt": STAMP, "position": {"state": [1, 9]}}
    assert changed(marketplace, "read") == ("notificationRead", read)
    names = {f"notification{name.capitalize()}" for name in SINGLE}
    assert {changed(marketplace, name)[0] for name in SINGLE} == names
    assert changed(marketplace, "read_all")[0] == "notificationsRead"
    assert changed(marketplace, "cleared")[0] == "notificationsCleared"
    assert changed(marketplace, "snoozed", until=AT)[1]["snoozedUntil"] == STAMP
    assert withdrawn(marketplace)[0] == "notificationWithdrawn"


def test_answers_are_named_as_the_document_names_them() -> None:
    assert marketplace.pong(AT) == ("pong", {"timestamp": STAMP}, None)
    assert marketplace.joined("a:b") == ("joinedRoom", {"room": "a:b"}, None)
    assert marketplace.left("a:b") == ("leftRoom", {"room": "a:b"}, None)
    assert marketplace.presence_stats({"total": 1}) == ("presenceStats", {"total": 1}, None)
    event, payload, _ = marketplace.connected(identity(roles=("CUSTOMER",), session_id="s"), ("user:u",), {}, AT)
    assert event == "connected"
    assert (payload["userId"], payload["roles"], payload["sessionId"]) == ("u", ["CUSTOMER"], "s")
