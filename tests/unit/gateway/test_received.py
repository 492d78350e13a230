"""What the gateway reads from its partition: the contract's records, notifications in a structure of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schemas.records import MembershipChange, NotificationEmission, RoomEntry
from services.gateway.adapters.kafka_inbox import _decoded
from services.gateway.domain.notification import Notification, Place

pytestmark = pytest.mark.covers("F1-2")

AT = datetime(2025, 10, 17, 10, 0, 0, 123456, tzinfo=UTC)
GIVEN: dict[str, Any] = {
    "id": UUID(int=7),
    "tenant": "t",
    "event": "agent.event",
    "type": "agent.completed",
    "metadata": {"timestamp": "2025-10-17T10:00:00Z"},
    "created_at": AT,
    "rooms": (RoomEntry(room="user:u", epoch=1, seq=2), RoomEntry(room="org:o", epoch=3, seq=4)),
}
_TEXT = st.none() | st.text(st.characters(codec="utf-8"))
_OBJECT = st.none() | st.dictionaries(st.text("abc"), st.integers(-9, 9) | st.booleans() | st.none() | st.text("é\n"))


def emitted(**fields: Any) -> NotificationEmission:
    return NotificationEmission(**(GIVEN | fields))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": _TEXT,
            "title": _TEXT,
            "message": _TEXT,
            "severity": st.sampled_from(("low", "normal", "high", "critical")),
            "priority": st.sampled_from((None, "LOW", "CRITICAL")),
            "data": _OBJECT,
            "actor": _OBJECT,
            "related": _OBJECT,
            "action_url": _TEXT,
            "tags": st.lists(st.text("ab")).map(tuple),
            "silent": st.just(("user:u",)),
            "excluded": st.just(("u",)),
            "traceparent": _TEXT,
            "of_a_later_version": st.just(1),
        },
    ),
    st.booleans(),
)
def test_a_notification_is_read_as_the_contract_says(fields: dict[str, Any], sparse: bool) -> None:
    record = emitted(**fields)
    read = _decoded(record.model_dump_json(by_alias=True, exclude_none=sparse).encode())
    assert isinstance(read, Notification)
    assert read.rooms == (Place("user:u", 1, 2), Place("org:o", 3, 4))
    assert read.id == str(record.id)
    shared = [name for name in Notification.__struct_fields__ if name not in ("id", "rooms")]
    assert {name: getattr(read, name) for name in shared} == {name: getattr(record, name) for name in shared}


def test_other_records_are_those_of_the_contract() -> None:
    change = MembershipChange(tenant="t", user_id="u", version=3)
    assert _decoded(change.model_dump_json(by_alias=True).encode()) == change


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff",
        b'{"kind":"notification"}',
        b'{"kind":"unknown"}',
        emitted().model_dump_json(by_alias=True).replace("agent.event", "other.event").encode(),
        emitted().model_dump_json(by_alias=True).replace("123456Z", "123456").encode(),
    ],
)
def test_what_breaks_the_contract_is_passed_over(value: bytes | None) -> None:
    assert _decoded(value) is None
