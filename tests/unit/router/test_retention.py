"""For how long things are kept, on values."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from libs.runtime.health import Progress
from libs.schemas.retention import SHORTEST, checked, days_of
from libs.schemas.topics import IDS_KEPT
from services.router.domain.retention import Keeping, bounds, overdue, pause
from services.router.errors import GivenBack
from services.router.handlers.holding import Holding
from services.router.settings import Settings

pytestmark = pytest.mark.covers("F2-8")

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_ids_are_known_for_as_long_as_anything_is_kept() -> None:
    assert timedelta(days=SHORTEST) >= IDS_KEPT
    assert checked(SHORTEST) == SHORTEST
    assert checked(0) == 0
    with pytest.raises(ValueError, match="at least 15 days"):
        checked(SHORTEST - 1)


@pytest.mark.parametrize("own", [None, "30", True, -1, 1.5, {}])
def test_what_is_no_number_of_days_says_nothing(own: object) -> None:
    assert days_of(own, 90) == 90


@given(st.integers(0, 10**6))
def test_a_tenant_keeps_for_good_or_long_enough(own: int) -> None:
    kept = days_of(own, 90)
    assert kept == 0 if own == 0 else kept == max(own, SHORTEST)


def test_content_by_the_tenant_and_the_audit_trail_by_the_setting() -> None:
    assert bounds(Keeping(90, 0), 30, NOW) == (NOW - timedelta(days=30), None)
    assert bounds(Keeping(0, 400), None, NOW) == (None, NOW - timedelta(days=400))


def test_how_late_it_is() -> None:
    assert overdue(NOW - timedelta(days=2), NOW - timedelta(days=1)) == 86_400
    assert overdue(NOW, NOW - timedelta(days=1)) == 0
    assert overdue(None, NOW) == overdue(NOW, None) == 0


@given(st.floats(0, 1_000))
def test_a_slow_database_is_left_alone_for_longer(took: float) -> None:
    assert 0.02 <= pause(took) <= 10
    assert pause(took) >= min(took, 10)


def test_a_setting_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValidationError, match="retention_days"):
        Settings(retention_days=7)


async def test_a_value_that_the_database_refuses_ends_nothing_that_no_event_waits_for() -> None:
    async def refused() -> bool:
        raise asyncpg.NumericValueOutOfRangeError("too large")

    async def broken() -> None:
        raise GivenBack

    holding = Holding(Progress("retention", 60), asyncio.Event())
    assert await holding.until_done_or_refused("retention", refused) is None
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        await holding.until_done("retention", refused)
    with pytest.raises(GivenBack):
        await holding.until_done_or_refused("retention", broken)
