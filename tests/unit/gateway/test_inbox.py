"""The inbox's cursor, positions of "mark all read", and views (F0-6, S6, S20)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain import views
from services.gateway.domain.inbox import Place, Reader, cursor, place, seen_positions

pytestmark = pytest.mark.covers("F0-6", "S6", "S20")

AT = datetime(2025, 10, 17, 10, 0, 0, 123456, tzinfo=UTC)


@given(
    st.integers(-(10**15), 10**15).map(lambda micros: AT + timedelta(microseconds=micros)),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    st.integers(0, 2**62),
)
def test_a_cursor_leads_back_to_its_place(at: datetime, room: str, seq: int) -> None:
    assert place(cursor(Place(at, room, seq))) == Place(at, room, seq)


@given(st.text())
def test_any_text_is_a_place_or_none(text: str) -> None:
    place(text)


@pytest.mark.parametrize("text", ["", "x", "!!!", "WzFd", "bnVsbA", "WzEsMiwzXQ", "WzFlOTksInIiLDFd"])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert place(text) is None


def test_all_means_the_ends_and_named_positions_never_pass_them() -> None:
    ends = {"user:u": 5, "org:o": 3}
    assert seen_positions(None, ends) == ends
    assert seen_positions({"user:u": 9, "org:x": 4}, ends) == {"user:u": 5}
    assert seen_positions({"org:o": (77, 2)}, ends) == {"org:o": 2}


def row(**fields: Any) -> dict[str, Any]:
    given = {
        "id": UUID(int=1), "room": "org:o", "epoch": 7, "seq": 3, "at": AT, "read": False, "read_at": None,
        "delivered": True, "delivered_at": AT, "event": "service.event", "type": "x", "name": "a.b.c", "title": "T",
        "message": "M", "severity": "normal", "priority": None, "metadata": '{"orgId": "o"}', "data": None,
        "extras": '{"tags": ["t"]}', "rooms": ["user:other", "user:me", "org:o", "org:p"], "accepted_at": AT,
        "seen": False, "archived_at": None, "snoozed_until": None, "expires_at": None, "age": timedelta(),
    }  # fmt: skip
    return given | fields


LATE = timedelta(minutes=20)
ME = Reader("t", "me", ("user:me",), ("org:o", "tenant"))


def through_json(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


def test_the_document_s_view_names_nobody_but_the_caller() -> None:
    shown = through_json(views.document(row(), ME, failed_after=LATE))
    assert shown["_id"] == str(UUID(int=1))
    assert shown["recipients"] == {"userIds": ["me"], "agentIds": [], "orgIds": ["o"]}
    assert shown["readByUserIds"] == []
    assert shown["deliveryStatus"] == "delivered"
    assert shown["metadata"] == {"orgId": "o"}
    read = through_json(
        views.document(row(read=True, read_at=AT + timedelta(seconds=1), delivered=False), ME, failed_after=LATE)
    )
    assert read["readByUserIds"] == ["me"]
    assert read["deliveredAt"] == "2025-10-17T10:00:01.123Z"
    waiting = through_json(views.document(row(delivered=False), ME, failed_after=LATE))
    assert waiting["deliveryStatus"] == "pending"
    assert waiting["deliveredAt"] is None
    late = through_json(views.document(row(delivered=False, age=LATE), ME, failed_after=LATE))
    assert (late["deliveryStatus"], late["failureReason"]) == ("failed", "permanent_failure")
    caught_up = through_json(views.document(row(age=2 * LATE), ME, failed_after=LATE))
    assert (caught_up["deliveryStatus"], caught_up["failureReason"]) == ("delivered", None)


def test_the_canonical_view() -> None:
    shown = through_json(views.canonical(row(data='{"k": [1]}'), ME, failed_after=LATE))
    assert shown["data"] == {"k": [1]}
    assert shown["tags"] == ["t"]
    assert shown["position"] == {"room": "org:o", "epoch": 7, "seq": 3}
    assert shown["read"] is False
    assert shown["readAt"] is None
