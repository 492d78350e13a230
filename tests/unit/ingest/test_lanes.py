"""Which lane a tenant's events go by, from the announcement of its diversion until it comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.quota import Quota
from services.ingest.domain.lanes import CALM, NOTICE, PAUSE, Diversion, Lane, Shares, follows

pytestmark = pytest.mark.covers("B10")

BEGAN = 100.0


@pytest.mark.parametrize(
    ("since", "lane"),
    [(0.0, Lane.FAST), (NOTICE - 0.01, Lane.FAST), (NOTICE, Lane.HELD), (NOTICE + PAUSE, Lane.BULK), (60.0, Lane.BULK)],
)
def test_a_diversion_takes_effect_after_its_notice_and_a_pause(since: float, lane: Lane) -> None:
    assert Diversion(BEGAN, BEGAN).lane(BEGAN + since) is lane


def test_an_ending_diversion_holds_what_comes_until_it_is_removed() -> None:
    ending = Diversion(BEGAN, BEGAN, ending=BEGAN + 50)
    assert ending.lane(BEGAN + 50 + NOTICE - 0.01) is Lane.BULK
    assert ending.lane(BEGAN + 50 + NOTICE) is Lane.HELD
    assert ending.lane(BEGAN + 500) is Lane.HELD
    assert not ending.is_settled(BEGAN + 50 + NOTICE)
    assert ending.is_settled(BEGAN + 50 + NOTICE + PAUSE)


def test_a_tenant_may_come_back_when_it_has_been_calm() -> None:
    diversion = Diversion(BEGAN, over=BEGAN + 20)
    assert not diversion.may_end(BEGAN + 20 + CALM - 0.01)
    assert diversion.may_end(BEGAN + 20 + CALM)
    assert not Diversion(BEGAN, BEGAN, ending=BEGAN + 30).may_end(BEGAN + 100)


@given(skew=st.floats(-PAUSE / 2, PAUSE / 2), at=st.floats(0, 10), later=st.floats(0, 10))
def test_what_one_process_has_put_on_the_bulk_lane_no_other_overtakes_by_the_fast_one(
    skew: float, at: float, later: float
) -> None:
    """However the looks of two processes differ within half a pause, one never diverts while the other does not."""
    one, other = Diversion(BEGAN, BEGAN), Diversion(BEGAN + skew, BEGAN)
    if one.lane(BEGAN + at) is Lane.BULK:
        assert other.lane(BEGAN + at + later) is not Lane.FAST


def test_a_share_is_used_up_by_its_own_tenant_alone_and_fills_again() -> None:
    shares = Shares(Quota("tenant", "events", per_second=10, burst=20))
    assert shares.count(["a"] * 20 + ["b"] * 5, 0.0) == set()
    assert shares.count(["a", "b"], 0.0) == {"a"}
    assert shares.count(["a"] * 5, 1.0) == set()


def test_tenants_that_publish_no_more_are_forgotten() -> None:
    shares = Shares(Quota("tenant", "events", per_second=10, burst=20))
    shares.count(["a"] * 20, 0.0)
    shares.forget(1.9)
    assert shares.count(["a"] * 20, 1.9) == {"a"}
    shares.forget(10.0)
    assert shares.count(["a"] * 20, 10.0) == set()


def test_the_header_names_the_ends_in_the_order_of_the_partitions() -> None:
    assert follows({1: 7, 0: 12, 2: 0}) == b"12,7,0"
