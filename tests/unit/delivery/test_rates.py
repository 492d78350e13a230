"""Rates: on a channel altogether, and for each tenant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.delivery.domain.rates import Rates, spread
from services.delivery.domain.sms import sender_of

pytestmark = pytest.mark.covers("F2-5")


def test_without_limits_everything_goes() -> None:
    rates = Rates()
    assert all(rates.take("acme", 0.0) == 0.0 for _ in range(1_000))


def test_a_tenant_over_its_rate_waits_and_others_do_not() -> None:
    rates = Rates(per_tenant=2.0)
    assert [rates.take("acme", 10.0) for _ in range(2)] == [0.0, 0.0]
    assert rates.take("acme", 10.0) == pytest.approx(0.5)
    assert rates.take("other", 10.0) == 0.0
    assert rates.take("acme", 10.5) == 0.0


@given(
    st.floats(0.5, 50.0),
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 0.5)), min_size=1, max_size=200),
)
def test_no_second_ever_sees_more_than_twice_the_rate(per_second: float, asked: list[tuple[str, float]]) -> None:
    rates, now, let_through = Rates(per_second=per_second), 0.0, list[float]()
    for tenant, pause in asked:
        now += pause
        if rates.take(tenant, now) == 0.0:
            let_through.append(now)
    for start in let_through:
        within = sum(start <= at < start + 1.0 for at in let_through)
        assert within <= 2 * per_second + 1


def test_what_came_too_early_comes_back_one_behind_the_other() -> None:
    assert spread([("a", 0.5), ("a", 0.5), ("b", 0.5)], 0.0, 2.0) == [0.5, 1.0, 0.5]
    assert spread([("a", 0.1), ("b", 0.1)], 10.0, 0.0) == [0.1, 0.2]


def test_the_sender_is_the_countrys() -> None:
    senders = {"+49": "Carillon", "+4915": "Mobil", "+1": "+15005550006"}
    assert sender_of("+4915112345678", senders, "x") == "Mobil"
    assert sender_of("+493012345678", senders, "x") == "Carillon"
    assert sender_of("+33123456789", senders, "x") == "x"
