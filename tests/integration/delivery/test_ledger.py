"""The ledger in PostgreSQL: who holds a delivery, for how long, and whose word counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from services.delivery.adapters.ledger import _CLAIM_DUE, _SQL, PostgresLedger
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import Failed, Outcome, Retry, Returned, Sent, Unknown
from services.delivery.ports import Attempt, Reaped, Result
from tests.integration.delivery.planned import Plan, Planned
from tests.vault import vault

pytestmark = pytest.mark.covers("F2-5", "B5")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """As the service's own role."""
    pool = await create_pool(database, "carillon_delivery", max_size=4)
    yield pool
    await pool.close()


@pytest.fixture
def ledger(pool: asyncpg.Pool) -> PostgresLedger:
    return PostgresLedger(pool, vault(), "email", 60.0, repeatable=True)


async def _run_out(plan: Plan) -> None:
    """Every lease has run out."""
    await plan.connection.execute(
        "update deliveries set lease_until = clock_timestamp() - interval '1 s' where lease_until is not null"
    )


async def _make_due(plan: Plan) -> None:
    await plan.connection.execute(
        "update deliveries set next_attempt_at = clock_timestamp() where next_attempt_at is not null"
    )


async def _begin(ledger: PostgresLedger, deliveries: Sequence[Delivery]) -> list[Delivery]:
    return (await ledger.exchange([], deliveries))[1]


async def _record(ledger: PostgresLedger, results: Sequence[Result]) -> list[Result]:
    return (await ledger.exchange(results, []))[0]


async def _begun(ledger: PostgresLedger, *planned: Planned) -> list[Delivery]:
    claimed = await ledger.claim([p.reference for p in planned])
    return await _begin(ledger, claimed)


def _result(delivery: Delivery, outcome: Outcome) -> Result:
    said = {Sent: "sent", Retry: "retry", Unknown: "unknown", Failed: "failed", Returned: "unavailable"}
    code, detail = getattr(outcome, "code", None), getattr(outcome, "detail", None)
    attempt = Attempt("smtp", said[type(outcome)], outcome.reason, code, detail, utc_now(), 0.25)
    asked = not isinstance(outcome, Failed) or outcome.counted
    return Result(delivery, outcome, (attempt,) if asked else ())


async def test_a_claim_brings_the_content(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.one("ada", title="T", message="M")
    (delivery,) = await ledger.claim([planned.reference])
    assert (delivery.recipient.email, delivery.recipient.display_name) == ("ada@example.test", "Ada")
    assert (delivery.content.title, delivery.content.message, delivery.content.action_url) == ("T", "M", "/reports")
    assert (await plan.row(planned))["state"] == "claimed"


async def test_only_one_of_many_claims_gets_a_delivery(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.many([f"user-{n}" for n in range(50)], due_in=0)
    references = [p.reference for p in planned]
    claims = await asyncio.gather(
        *(ledger.claim(references) for _ in range(4)), *(ledger.claim_due(50) for _ in range(4))
    )
    taken = [d.id for claim in claims for d in claim]
    assert sorted(taken) == sorted(p.id for p in planned)


@pytest.mark.parametrize("state", ["claimed", "sending", "sent", "delivered", "failed", "cancelled", "suppressed"])
async def test_a_record_for_what_is_held_or_ended_is_dropped(ledger: PostgresLedger, plan: Plan, state: str) -> None:
    planned = await plan.one(state=state, due_in=0)
    assert await ledger.claim([planned.reference]) == []
    assert await ledger.claim_due(10) == []


async def test_a_record_does_not_hurry_a_retry(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.one()
    (delivery,) = await _begun(ledger, planned)
    await _record(ledger, [_result(delivery, Retry("provider-deferred", 3600.0, "451"))])
    assert await ledger.claim([planned.reference]) == []
    await _make_due(plan)
    (again,) = await ledger.claim([planned.reference])
    assert (again.attempts, again.token != delivery.token) == (1, True)


async def test_cancelled_between_claim_and_call_is_not_sent(ledger: PostgresLedger, plan: Plan) -> None:
    claimed = await ledger.claim([p.reference for p in await plan.many(["ada", "bob"])])
    await plan.connection.execute("update deliveries set state = 'cancelled' where user_id = 'ada'")
    assert [d.recipient.user_id for d in await _begin(ledger, claimed)] == ["bob"]


async def test_an_expired_claim_is_planned_again(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.one()
    claimed = await ledger.claim([planned.reference])
    assert await ledger.reap(10) == Reaped(0, 0)
    await _run_out(plan)
    assert await _begin(ledger, claimed) == []  # too late, even before it is reaped
    assert await ledger.reap(10) == Reaped(planned=1, unknown=0)
    row = await plan.row(planned)
    assert (row["state"], row["reason"], row["attempts"]) == ("planned", "lease-expired", 0)
    assert len(await ledger.claim_due(10)) == 1


async def test_an_expired_sending_is_unknown_and_repeated(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.one()
    (lost,) = await _begun(ledger, planned)
    await _run_out(plan)
    assert await ledger.reap(10) == Reaped(planned=0, unknown=1)
    row = await plan.row(planned)
    assert (row["state"], row["reason"], row["attempts"]) == ("unknown", "outcome-unknown", 1)
    (again,) = await ledger.claim_due(10)
    (again,) = await _begin(ledger, [again])
    assert await _record(ledger, [_result(lost, Failed("provider-refused", "550"))]) == []  # its word counts no more
    assert (await plan.row(planned))["state"] == "sending"
    (kept,) = await _record(ledger, [_result(again, Sent("250"))])
    assert (kept.delivery, (await plan.row(planned))["state"]) == (again, "sent")
    assert [row["outcome"] for row in await plan.attempts(planned)] == ["unknown", "sent"]


async def test_a_repeat_of_a_process_that_is_gone_goes_to_whom_it_asked(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.one()
    (claimed,) = await ledger.claim([planned.reference])
    (begun,) = await _begin(ledger, [replace(claimed, providers=("ses", "smtp"))])
    await _run_out(plan)
    assert not await ledger.turn(begun, "smtp")  # too late: it may be another's by now
    await ledger.reap(10)
    (again,) = await ledger.claim_due(10)
    assert again.uncertain_with == "ses"
    (begun,) = await _begin(ledger, [replace(again, providers=("ses", "smtp"))])
    assert await ledger.turn(begun, "smtp")
    await _run_out(plan)
    await ledger.reap(10)
    (last,) = await ledger.claim_due(10)
    assert last.uncertain_with == "smtp"
    assert [a["provider"] for a in await plan.attempts(planned)] == ["ses", "smtp"]


async def test_where_repeats_cannot_be_told_the_unknown_stays(pool: asyncpg.Pool, plan: Plan) -> None:
    careful = PostgresLedger(pool, vault(), "email", 60.0, repeatable=False)
    planned = await plan.one()
    await _begun(careful, planned)
    await _run_out(plan)
    assert (await careful.reap(10)).unknown == 1
    assert ((await plan.row(planned))["state"], (await plan.row(planned))["next_attempt_at"]) == ("unknown", None)
    assert await careful.claim_due(10) == []


async def test_outcomes_of_a_batch(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.many(["a", "b", "c", "d", "e"])
    begun = await _begun(ledger, *planned)
    outcomes: list[Outcome] = [
        Sent("250", "abc"),
        Retry("provider-deferred", 60.0, "451", "later"),
        Unknown("outcome-unknown", 60.0),
        Failed("no-address", counted=False),
        Returned("provider-unavailable", 60.0),
    ]
    by_user = {d.recipient.user_id: d for d in begun}
    results = [_result(by_user[user], outcome) for user, outcome in zip("abcde", outcomes, strict=True)]
    stolen = replace(results[0], delivery=replace(results[0].delivery, token=planned[0].id))
    assert await _record(ledger, [stolen]) == []
    assert len(await _record(ledger, results)) == 5
    rows = [await plan.row(p) for p in planned]
    assert [row["state"] for row in rows] == ["sent", "planned", "unknown", "failed", "planned"]
    assert [row["attempts"] for row in rows] == [1, 1, 1, 0, 0]
    assert [row["next_attempt_at"] is None for row in rows] == [True, False, False, False, False]
    assert {(row["claim_token"], row["lease_until"]) for row in rows} == {(None, None)}
    assert rows[0]["provider_message_id"] == "abc"
    assert [[a["outcome"] for a in await plan.attempts(p)] for p in planned] == [
        ["sent"],
        ["retry"],
        ["unknown"],
        [],
        [],
    ]


async def test_a_failure_waits_for_its_dead_letter(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.one()
    (delivery,) = await _begun(ledger, planned)
    await _record(ledger, [_result(delivery, Failed("provider-refused", "550"))])
    (failure,) = await ledger.unburied(10)
    assert (failure.id, failure.reason, failure.attempts) == (planned.id, "provider-refused", 1)
    assert await ledger.unburied(10) == []  # another process has it for a lease
    await _make_due(plan)
    assert await ledger.unburied(10) == [failure]  # and did not come to the end of it
    await ledger.buried([failure])
    await _make_due(plan)
    assert await ledger.unburied(10) == []


async def test_a_replayed_delivery_counts_its_attempts_on(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.one()
    (delivery,) = await _begun(ledger, planned)
    await _record(ledger, [_result(delivery, Failed("attempts-exhausted", "451"))])
    await plan.connection.execute("update deliveries set state = 'planned', attempts = 0")
    (again,) = await _begun(ledger, planned)
    await _record(ledger, [_result(again, Sent("250"))])
    assert [(a["attempt"], a["outcome"]) for a in await plan.attempts(planned)] == [(1, "failed"), (2, "sent")]


async def test_given_back_is_due_at_once(ledger: PostgresLedger, plan: Plan) -> None:
    planned = await plan.many(["ada", "bob"])
    claimed = await ledger.claim([p.reference for p in planned])
    (begun,) = await _begin(ledger, claimed[:1])
    await ledger.give_back(claimed, "given-back", [0.0] * len(claimed))
    assert await plan.states() == {"sending": 1, "planned": 1}
    assert await ledger.due(10) == 1
    assert [d.id for d in await ledger.claim_due(10)] == [d.id for d in claimed if d.id != begun.id]


@pytest.mark.covers("S16", "B10")
async def test_the_urgent_goes_first_and_what_waits_for_long_is_not_forgotten(
    ledger: PostgresLedger, plan: Plan
) -> None:
    old = await plan.many([f"old-{n}" for n in range(5)], due_in=-3600)
    await plan.connection.execute("update deliveries set urgency = 3")
    new = await plan.many([f"new-{n}" for n in range(40)], due_in=0)
    await plan.connection.execute("update deliveries set urgency = 1 where user_id like 'new-%'")
    first, second, few = [await ledger.claim_due(limit) for limit in (20, 20, 5)]
    oldest, urgent = {p.id for p in old}, {p.id for p in new}
    for claimed in (first, second):
        assert len({d.id for d in claimed}) == 20
        assert len(oldest & {d.id for d in claimed}) == 2, "a tenth"
    assert len(urgent & {d.id for d in few}) == 4
    assert len(oldest & {d.id for d in few}) == 1, "what is left"


@pytest.mark.parametrize("name", ["claim_due", "due", "reap", "unburied"])
async def test_the_scans_do_not_read_what_is_due_later(plan: Plan, name: str) -> None:
    lease = timedelta(seconds=60)
    statement, arguments = {
        "claim_due": (_CLAIM_DUE, ("email", uuid4(), lease, 10)),
        "due": (_SQL["due"], ("email", 10)),
        "reap": (_SQL["reap"], ("email", True, 10, "smtp")),
        "unburied": (_SQL["unburied"], ("email", lease, 10)),
    }[name]
    await plan.connection.execute("set enable_seqscan = off")  # the table is small here
    lines = [row[0] for row in await plan.connection.fetch(f"explain {statement}", *arguments)]
    assert any("Index Cond" in line and "channel" in line and "<" in line and "now()" in line for line in lines), lines
