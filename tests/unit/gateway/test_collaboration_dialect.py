"""The dialect of `/events` against the data model and the gateway of document 003 (F3-1, F3-3, S6, S9)."""

from __future__ import annotations

import pytest

from tests.unit.gateway.shaping import AT, DIALECTS, ID, METADATA, POSITION, SINGLE, STAMP, changed, new, withdrawn
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("F3-1", "F3-3", "S5", "S6", "S9")

collaboration = DIALECTS["/events"]
#: The columns of the document's Notification but for `userId`, which is each reader's own.
ROW = {
    "id", "tenantId", "type", "title", "message", "icon", "actionUrl", "actionLabel", "relatedType", "relatedId",
    "metadata", "actorId", "isRead", "readAt", "deliveredVia", "createdAt",
}  # fmt: skip
ADDITIVE = {"severity", "data", "tags", "position"}


def test_a_new_notification_is_the_whole_row() -> None:
    event, payload, personal = new(
        collaboration,
        type="task.assigned",
        actor={"id": "u7"},
        related={"type": "task", "id": "t1"},
        action_url="/tasks/t1",
        data={"actionLabel": "Open"},
    )
    assert (event, personal) == ("notification:new", "userId")
    assert payload.keys() - ADDITIVE == ROW
    assert {key: payload[key] for key in ROW} == {
        "id": str(ID),
        "tenantId": "t",
        "type": "TASK_ASSIGNED",
        "title": "T",
        "message": "M",
        "icon": "clipboard",
        "actionUrl": "/tasks/t1",
        "actionLabel": "Open",
        "relatedType": "task",
        "relatedId": "t1",
        "metadata": METADATA,
        "actorId": "u7",
        "isRead": False,
        "readAt": None,
        "deliveredVia": [],
        "createdAt": STAMP,
    }
    assert payload["position"] == POSITION


@pytest.mark.parametrize(
    ("key", "constant"),
    [("agent.completed", "AGENT_COMPLETED"), ("agent.error", "AGENT_FAILED"), ("my.own-type", "MY_OWN_TYPE")],
)
def test_types_are_named_in_capitals(key: str, constant: str) -> None:
    assert new(collaboration, type=key).payload["type"] == constant


def test_what_is_optional_is_null() -> None:
    payload = new(collaboration).payload
    optional = ("actionUrl", "actionLabel", "relatedType", "relatedId", "actorId", "readAt")
    assert [payload[key] for key in optional] == [None] * 6


def test_what_happened_to_the_inbox() -> None:
    assert changed(collaboration, "read") == (
        "notification:read",
        {"notificationId": str(ID), "position": {"state": [1, 9]}},
    )
    assert changed(collaboration, "read_all")[0] == "notification:all-read"
    assert changed(collaboration, "seen")[0] == "notification:all-seen"
    assert changed(collaboration, "cleared")[0] == "notification:all-cleared"
    assert {changed(collaboration, name)[0] for name in SINGLE} == {f"notification:{name}" for name in SINGLE}
    assert changed(collaboration, "snoozed", until=AT)[1]["snoozedUntil"] == STAMP
    assert withdrawn(collaboration)[0] == "notification:withdrawn"


def test_people_come_go_and_change() -> None:
    assert collaboration.came("u") == ("user:online", {"userId": "u"}, None)
    assert collaboration.went("u") == ("user:offline", {"userId": "u"}, None)
    assert collaboration.presence("u", "AWAY", "lunch")[:2] == (
        "presence:updated",
        {"userId": "u", "status": "AWAY", "customStatus": "lunch"},
    )


def test_who_is_refused_is_told_nothing() -> None:
    assert not collaboration.explains
    assert collaboration.refused is None
    assert collaboration.connected(identity(), (), {}, AT).event == "connected"
