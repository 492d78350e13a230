"""The log's cursor and the figures that follow from others (F4-4, F2-7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.admin import LogPlace, cursor, place, rates

pytestmark = pytest.mark.covers("F4-4", "F2-7")

AT = datetime(2025, 10, 17, 10, 0, 0, 123456, tzinfo=UTC)


@given(
    st.integers(-(10**15), 10**15).map(lambda micros: AT + timedelta(microseconds=micros)),
    st.uuids(),
    st.integers(0, 9),
)
def test_a_cursor_leads_back_to_its_line(at: datetime, notification: UUID, room: int) -> None:
    assert place(cursor(LogPlace(at, notification, room))) == LogPlace(at, notification, room)


@given(st.text())
def test_any_text_is_a_line_or_none(text: str) -> None:
    place(text)


def test_shares_are_of_what_ended() -> None:
    channels = {"email": {"sent": 1, "delivered": 2, "bounced": 1, "planned": 9}, "sms": {"suppressed": 4}}
    told = rates({"channels": channels, "inApp": {"personal": 8, "read": 2, "delivered": 4}})
    assert (told["deliveryRate"], told["errorRate"], told["readRate"]) == (0.75, 0.25, 0.25)
    nothing = rates({"channels": {}, "inApp": {"personal": 0, "read": 0, "delivered": 0}})
    assert (nothing["deliveryRate"], nothing["errorRate"], nothing["readRate"]) == (None, None, None)
