"""When a delivery is tried again, and how hard a provider is pressed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.delivery.domain.outcome import EXHAUSTED, Failed, Retry, Returned, Unknown, of_fault
from services.delivery.domain.pace import Pace, steady
from services.delivery.domain.retry import Backoff, RetryPolicy
from services.delivery.errors import Fault, Invalid, Overloaded, Permanent, Retryable, Unavailable, Uncertain

pytestmark = pytest.mark.covers("F2-5")

POLICY = RetryPolicy(Backoff(base=5.0, cap=1800.0), max_attempts=10)
draws = st.floats(0, 1, exclude_max=True)
counts = st.integers(0, 10_000)
seconds = st.floats(0, 1e6)


@given(st.floats(0.001, 1e3), st.floats(0.001, 1e6), counts, draws)
def test_a_delay_is_between_nothing_and_the_cap(base: float, cap: float, failures: int, draw: float) -> None:
    assert 0 <= Backoff(base, cap).delay(failures, draw) <= cap


@given(counts, draws)
def test_delays_grow_until_the_cap(failures: int, draw: float) -> None:
    backoff = POLICY.backoff
    assert backoff.delay(failures, draw) <= backoff.delay(failures + 1, draw)


def test_the_whole_width_is_used() -> None:
    backoff = Backoff(base=5.0, cap=100.0)
    assert [backoff.delay(n, 0.999999) for n in (1, 2, 3, 6)] == pytest.approx([5, 10, 20, 100], rel=1e-3)
    assert backoff.delay(3, 0.0) == 0.0


@given(st.integers(0, 8), draws, seconds)
def test_never_sooner_than_the_provider_asked(attempts: int, draw: float, after: float) -> None:
    outcome = of_fault(Retryable("later", after=after), attempts, POLICY, draw, repeatable=True)
    assert isinstance(outcome, Retry)
    assert after <= outcome.delay <= after + POLICY.backoff.cap


@pytest.mark.parametrize("fault", [Retryable("x"), Overloaded("x"), Uncertain("x")])
def test_the_last_attempt_ends_it(fault: Fault) -> None:
    assert isinstance(of_fault(fault, 8, POLICY, 0.5, repeatable=True), Retry | Unknown)
    assert of_fault(fault, 9, POLICY, 0.5, repeatable=True) == Failed(EXHAUSTED)


def test_permanent_and_invalid_fail_at_once() -> None:
    refused = Permanent("provider-refused", code="550", detail="5.1.1")
    assert of_fault(refused, 0, POLICY, 0.5, repeatable=True) == Failed("provider-refused", "550", "5.1.1")
    assert of_fault(Invalid("no-address"), 0, POLICY, 0.5, repeatable=True) == Failed("no-address", counted=False)


@given(counts, draws)
def test_a_provider_out_of_reach_never_ends_it(attempts: int, draw: float) -> None:
    assert isinstance(of_fault(Unavailable("away"), attempts, POLICY, draw, repeatable=False), Returned)


@given(counts, draws)
def test_uncertain_is_never_repeated_where_repeats_cannot_be_told(attempts: int, draw: float) -> None:
    outcome = of_fault(Uncertain("outcome-unknown"), attempts, POLICY, draw, repeatable=False)
    assert outcome == Unknown("outcome-unknown", None)


STEADY = steady(16, Backoff(1.0, 60.0))
answers = st.lists(st.tuples(st.sampled_from(["well", "overloaded", "unavailable"]), st.floats(0, 30), draws))


def _told(pace: Pace, answer: str, now: float, draw: float) -> Pace:
    match answer:
        case "well":
            return pace.went_well()
        case "overloaded":
            return pace.overloaded(now, 0.0, draw)
        case _:
            return pace.unavailable(now, 0.0, draw)


@given(answers)
def test_the_pace_stays_in_its_bounds_and_recovers(told: list[tuple[str, float, float]]) -> None:
    pace, now = STEADY, 0.0
    for answer, passed, draw in told:
        now += passed
        pace = _told(pace, answer, now, draw)
        assert 1 <= pace.limit <= 16
        assert pace.resting(now) <= 60.0
    for _ in range(16):
        pace = pace.went_well()
    assert (pace.limit, pace.strikes) == (16, 0)


def test_a_burst_of_faults_is_one_fault() -> None:
    once = STEADY.overloaded(100.0, 0.0, 0.9)
    twice = once.overloaded(100.1, 0.0, 0.9)
    assert (once.limit, once.strikes) == (8, 1)
    assert (twice.strikes, twice.rest_until) == (1, once.rest_until)
    assert once.unavailable(100.1, 0.0, 0.9).limit == 1


def test_rests_grow_and_what_was_asked_for_is_kept() -> None:
    first = STEADY.unavailable(0.0, 0.0, 0.5)
    second = first.unavailable(10.0, 7.0, 0.5)
    assert first.resting(0.0) == 0.5
    assert second.resting(10.0) == 8.0
