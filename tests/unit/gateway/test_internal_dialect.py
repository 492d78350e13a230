"""The dialect of `/notifications` against the interfaces of document 001 (F1-1, F1-2, S6, S9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.commands import Acknowledge, Fault, read
from services.gateway.domain.logs import Entry
from services.gateway.domain.recipients import Recipient, RecipientIds
from tests.unit.gateway.shaping import (
    AT,
    DIALECTS,
    ID,
    POSITION,
    RECIPIENTS,
    ROOM,
    SINGLE,
    STAMP,
    STATE_POSITION,
    changed,
    new,
    record,
    withdrawn,
)
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("F1-1", "F1-2", "F1-3", "S5", "S6", "S9")

internal = DIALECTS["/notifications"]
DOCUMENTED = {"id", "title", "content", "content_html", "type", "sender", "created_at", "recipient_id"}
ADDITIVE = {"severity", "data", "action_url", "tags", "position"}


def test_a_new_notification_is_complete() -> None:
    actor = {"id": "u7", "username": "ann", "displayName": "Ann Arbor"}
    event, payload, personal = new(
        internal, type="task.assigned", message="See **this** <script>x()</script>", actor=actor, data={"k": 1}
    )
    assert (event, personal) == ("notification:new", None)
    assert payload.keys() - ADDITIVE == DOCUMENTED
    assert payload["id"] == str(ID)
    assert payload["title"] == "T"
    assert payload["content"] == "See **this** <script>x()</script>"
    assert "<strong>this</strong>" in payload["content_html"]
    assert "<script" not in payload["content_html"]
    assert payload["type"] == {"id": "task.assigned", "name": "Task assigned", "icon": "clipboard", "color": "#1890ff"}
    assert payload["sender"] == {"id": "u7", "username": "ann", "display_name": "Ann Arbor"}
    assert payload["created_at"] == STAMP
    assert payload["position"] == POSITION


def test_without_an_actor_the_service_is_the_sender() -> None:
    payload = new(internal, event="service.event", name="iam.user.created").payload
    assert payload["sender"] == {"id": "iam", "username": "iam", "display_name": "Iam"}
    assert new(internal, actor={"userId": "u7"}).payload["sender"] == {
        "id": "u7", "username": "u7", "display_name": "u7"
    }  # fmt: skip


def test_a_type_that_the_catalogue_does_not_know_looks_like_something() -> None:
    look = new(internal, type="my.own-type").payload["type"]
    assert look == {"id": "my.own-type", "name": "My own type", "icon": "bell", "color": "#1890ff"}


def test_a_recipient_id_says_where_it_stands_and_is_the_same_for_the_room() -> None:
    identifier = new(internal).payload["recipient_id"]
    assert identifier == new(internal).payload["recipient_id"]
    command = read(internal.commands, "notification:acknowledge", ({"recipient_id": identifier},))
    assert command == Acknowledge(ID, (ROOM, 3))


@pytest.mark.parametrize("wrong", ["", "nonsense", "A" * 80, "=", "ä", RecipientIds(b"x").write(Recipient(ID, "r", 1))])
def test_a_recipient_id_of_nobody_is_refused_with_the_field_named(wrong: str) -> None:
    fault = read(internal.commands, "notification:acknowledge", ({"recipient_id": wrong},))
    assert isinstance(fault, Fault)
    assert (fault.code, fault.field) == ("INVALID_ARGUMENT", "recipient_id")


@given(st.uuids(), st.text(min_size=1, max_size=60), st.integers(0, 2**63 - 1), st.integers(0, 500))
def test_recipient_ids_are_read_as_they_were_written_and_not_otherwise(
    notification: object, room: str, seq: int, position: int
) -> None:
    recipient = Recipient(notification, room.encode("utf-8", "ignore").decode() or "r", seq)  # type: ignore[arg-type]
    written = RECIPIENTS.write(recipient)
    assert RECIPIENTS.read(written) == recipient
    at = position % len(written)
    forged = written[:at] + ("B" if written[at] == "A" else "A") + written[at + 1 :]
    # The last character holds bits that no byte needs.
    assert at == len(written) - 1 or RECIPIENTS.read(forged) is None


def test_many_come_as_one() -> None:
    entries = [(ROOM, Entry(7, seq, record())) for seq in (3, 4)]
    batch = internal.batch(entries, 12)
    assert batch.event == "notification:batch"
    assert batch.payload["unread_count"] == 12
    assert [item["position"]["seq"] for item in batch.payload["notifications"]] == [3, 4]
    assert batch.payload["notifications"][0] == new(internal).payload


def test_what_happened_to_the_inbox() -> None:
    recipient = new(internal).payload["recipient_id"]
    subject = {"recipient_id": recipient, "notification_id": str(ID), "position": STATE_POSITION}
    assert changed(internal, "read") == ("notification:read", subject | {"read_at": STAMP})
    assert changed(internal, "unread") == ("notification:unread", subject | {"unread_at": STAMP})
    event, payload = changed(internal, "read_all", count=5)
    assert event == "notifications:read_all"
    assert payload == {
        "marked_count": 5, "read_at": STAMP, "positions": {ROOM: 4}, "position": STATE_POSITION
    }  # fmt: skip
    assert {changed(internal, operation)[0] for operation in SINGLE} == {f"notification:{name}" for name in SINGLE}
    assert changed(internal, "snoozed", until=AT)[1]["snoozed_until"] == STAMP
    assert withdrawn(internal)[0] == "notification:withdrawn"


def test_the_handshake() -> None:
    event, payload, _ = internal.connected(identity(), ("user:u",), {}, AT)
    assert event == "authenticated"
    assert payload["user_id"] == "u"
    assert payload["connected_at"] == STAMP
    assert internal.unauthorized(AT, expired=False)[:2] == (
        "auth_error",
        {"message": "Invalid token", "code": "INVALID_TOKEN"},
    )
    assert internal.unauthorized(AT, expired=True).payload["code"] == "EXPIRED_TOKEN"
    assert internal.unavailable(AT, 500)[:2] == (
        "auth_error",
        {"message": "The service is not available now, please try again", "code": "SERVER_ERROR", "retry_in_ms": 500},
    )
    assert (internal.refused, internal.unserved) == ("Authentication failed", "Server error")


def test_an_error_names_the_field_in_its_details() -> None:
    event, payload, _ = internal.error(Fault("INVALID_ARGUMENT", "room: no", "room"), AT)
    assert event == "error"
    assert payload == {
        "message": "room: no", "code": "INVALID_ARGUMENT", "details": {"field": "room"}, "timestamp": STAMP
    }  # fmt: skip
