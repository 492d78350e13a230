"""Providers in order, behind their circuit breakers; nobody else is asked who may have it already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest

from libs.runtime.clock import utc_now
from services.delivery.domain.delivery import Content, Delivery, Recipient
from services.delivery.domain.outcome import Failed, Retry, Returned, Sent, Unknown
from services.delivery.domain.pace import Pace, steady
from services.delivery.domain.retry import Backoff, RetryPolicy
from services.delivery.errors import Fault, Overloaded, Permanent, Retryable, Unavailable, Uncertain
from services.delivery.handlers.calling import Calling
from services.delivery.ports import Ledger, Result

pytestmark = pytest.mark.covers("B5", "F2-5")


class Scripted:
    """Implements ports.Provider: raises what it is told to, else takes it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fault: Fault | None = None
        self.asked = 0

    async def send(self, delivery: Delivery) -> Sent:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return Sent(provider_message_id=self.name)


def delivery(**said: object) -> Delivery:
    content = Content(UUID(int=3), "service.alert")
    return Delivery("acme", UUID(int=1), "sms", UUID(int=2), 0, utc_now(), Recipient("ada"), content, **said)  # type: ignore[arg-type]


@pytest.fixture
def first() -> Scripted:
    return Scripted("first")


@pytest.fixture
def second() -> Scripted:
    return Scripted("second")


class Turns:
    """What a ledger is told of whom is asked next; with `held` False the claim is lost."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.held = True

    async def turn(self, delivery: Delivery, provider: str) -> bool:
        self.told.append(provider)
        return self.held


async def ask(calling: Calling, **said: object) -> Result:
    (assigned,) = calling.assign([delivery(**said)])
    return await calling.call(assigned)


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def calling(first: Scripted, second: Scripted, turns: Turns) -> Calling:
    policy, pace = RetryPolicy(Backoff(1.0, 10.0), 5), steady(4, Backoff(60.0, 60.0))
    return Calling(cast("Ledger", turns), [first, second], policy, pace, utc_now, repeatable=False, shared=True)


async def test_the_first_is_asked_while_it_is_well(calling: Calling, first: Scripted, second: Scripted) -> None:
    result = await ask(calling)
    assert (result.outcome, result.provider) == (Sent(provider_message_id="first"), "first")
    assert second.asked == 0


@pytest.mark.parametrize("fault", [Unavailable, Overloaded, Retryable])
async def test_the_next_is_asked_where_one_has_surely_not_taken_it(
    calling: Calling, first: Scripted, second: Scripted, fault: Callable[[str], Fault]
) -> None:
    first.fault = fault("provider-silent")
    result = await ask(calling)
    assert isinstance(result.outcome, Sent)
    assert [(a.provider, a.reason) for a in result.attempts] == [("first", "provider-silent"), ("second", "sent")]


async def test_the_ledger_knows_of_the_next_before_it_is_asked(
    calling: Calling, first: Scripted, second: Scripted, turns: Turns
) -> None:
    await ask(calling)
    assert turns.told == []  # the first was written down as it was begun
    first.fault, turns.held = Retryable("provider-deferred"), False
    assert isinstance((await ask(calling)).outcome, Retry)
    assert (turns.told, second.asked) == (["second"], 0)


async def test_of_several_at_once_no_more_are_assigned_than_a_provider_takes(calling: Calling) -> None:
    assigned = calling.assign([delivery()] * 6)
    assert [d.providers[0] for d in assigned] == ["first"] * 4 + ["second"] * 2


async def test_nobody_else_is_asked_where_the_first_may_have_it(
    calling: Calling, first: Scripted, second: Scripted
) -> None:
    first.fault = Uncertain("outcome-unknown")
    result = await ask(calling)
    assert result.outcome == Unknown("outcome-unknown", None)
    assert second.asked == 0


async def test_a_repeat_goes_to_the_one_that_may_have_it(calling: Calling, first: Scripted, second: Scripted) -> None:
    assert (await ask(calling, uncertain_with="second")).provider == "second"
    second.fault = Unavailable("provider-unavailable")
    assert isinstance((await ask(calling, uncertain_with="second")).outcome, Returned)
    assert first.asked == 0


async def test_what_is_refused_for_good_is_offered_to_nobody_else(
    calling: Calling, first: Scripted, second: Scripted
) -> None:
    first.fault = Permanent("bad-address")
    assert isinstance((await ask(calling)).outcome, Failed)
    assert second.asked == 0


async def test_a_tenant_has_its_own_order(calling: Calling) -> None:
    assert (await ask(calling, providers=("second", "first"))).provider == "second"
    assert (await ask(calling, providers=("second",))).provider == "second"
    assert (await ask(calling, providers=("unheard-of",))).provider == "first"


async def test_one_that_was_out_of_reach_is_left_alone(calling: Calling, first: Scripted, second: Scripted) -> None:
    first.fault = Unavailable("provider-unavailable", after=60.0)
    await ask(calling)
    await ask(calling)
    assert (first.asked, second.asked) == (1, 2)
    assert calling.limit == 4
    assert calling.resting == 0.0


async def test_after_its_rest_a_single_call_tries_and_closes_the_breaker(
    calling: Calling, first: Scripted, second: Scripted
) -> None:
    first.fault = Unavailable("provider-unavailable", after=60.0)
    await ask(calling)
    calling.paces["first"] = _rested(calling, "first")
    first.fault = None
    calling.running["first"] = 1  # the one that tries
    assert (await ask(calling)).provider == "second"
    calling.running["first"] = 0
    assert (await ask(calling)).provider == "first"
    assert (await ask(calling)).provider == "first"
    assert calling.paces["first"].limit > 1


async def test_several_silences_in_a_row_are_a_provider_out_of_reach(
    calling: Calling, first: Scripted, second: Scripted
) -> None:
    first.fault = Uncertain("outcome-unknown", after=60.0)
    for _ in range(5):
        assert isinstance((await ask(calling)).outcome, Unknown)
    assert calling.paces["first"].strikes == 1
    assert (await ask(calling)).provider == "second"


async def test_when_nobody_takes_it_the_answer_of_one_that_was_reached_counts(
    calling: Calling, first: Scripted, second: Scripted
) -> None:
    first.fault, second.fault = Unavailable("provider-unavailable"), Retryable("provider-deferred", code="451")
    outcome = (await ask(calling)).outcome
    assert isinstance(outcome, Retry)
    assert (outcome.reason, outcome.code) == ("provider-deferred", "451")


async def test_while_all_rest_nobody_is_asked(calling: Calling, first: Scripted, second: Scripted) -> None:
    first.fault = second.fault = Unavailable("provider-unavailable", after=60.0)
    assert isinstance((await ask(calling)).outcome, Returned)
    result = await ask(calling)
    assert isinstance(result.outcome, Returned)
    assert result.outcome.delay >= 59.0
    assert result.attempts == ()
    assert calling.resting > 0


def _rested(calling: Calling, name: str) -> Pace:
    return replace(calling.paces[name], rest_until=0.0)
