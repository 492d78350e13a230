"""What an SMTP server's answers, delays and broken connections make of a delivery."""

from __future__ import annotations

import asyncio

import pytest

from devstack.smtp_peer import SmtpPeer
from devstack.smtp_script import ANYBODY, Reaction
from tests.integration.delivery.conftest import StartWorkers
from tests.integration.delivery.planned import Plan, Planned, Work

pytestmark = pytest.mark.covers("F2-5")


def _got(mail: SmtpPeer, delivery: Planned) -> list[str]:
    return [m.headers["Message-ID"] for m in mail.messages if m.recipients == (delivery.address,)]


async def _outcomes(plan: Plan, delivery: Planned) -> list[tuple[str, str | None]]:
    return [(row["outcome"], row["code"]) for row in await plan.attempts(delivery)]


async def test_each_answer_asks_for_its_reaction(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    later = await plan.one("later")
    mail.react(later.address, Reaction("rcpt", "451 4.7.1 not now"), Reaction("body", "451 4.3.0 nor now"))
    closed = await plan.one("closed")
    mail.react(closed.address, Reaction("rcpt", f"550 5.1.1 <{closed.address}> is unknown here"))
    spam = await plan.one("spam")
    mail.react(spam.address, Reaction("body", "554 5.7.1 we do not want this"))
    cut_before = await plan.one("cut-before")
    mail.react(cut_before.address, Reaction("rcpt", drop=True))
    cut_after = await plan.one("cut-after")
    mail.react(cut_after.address, Reaction("body", drop=True, keep=True))
    silent_before = await plan.one("silent-before")
    mail.react(silent_before.address, Reaction("data", delay=4, drop=True))
    silent_after = await plan.one("silent-after")
    mail.react(silent_after.address, Reaction("body", delay=4, drop=True, keep=True))
    start_workers()
    await work.name([later, closed, spam, cut_before, cut_after, silent_before, silent_after], each=3)

    for delivery in (later, cut_before, cut_after, silent_before, silent_after):
        await plan.until(delivery, "sent")
    for delivery in (closed, spam):
        row = await plan.until(delivery, "failed")
        assert row["reason"] == "provider-refused"

    assert await _outcomes(plan, later) == [("retry", "451"), ("retry", "451"), ("sent", "250")]
    assert await _outcomes(plan, closed) == [("failed", "550")]
    assert await _outcomes(plan, spam) == [("failed", "554")]
    assert await _outcomes(plan, cut_before) == [("retry", None), ("sent", "250")]
    assert await _outcomes(plan, silent_before) == [("retry", None), ("sent", "250")]
    # Nobody knows whether these were taken, so they are sent again, under the same Message-ID.
    for delivery in (cut_after, silent_after):
        assert await _outcomes(plan, delivery) == [("unknown", None), ("sent", "250")]
        assert _got(mail, delivery) == [delivery.message_id] * 2
    details = " ".join([str(row["detail"]) for d in (later, closed, spam) for row in await plan.attempts(d)])
    assert "is unknown here" in details
    assert "@" not in details

    letters = {letter.id: (key, letter) for key, letter in await work.dead(2)}
    assert set(letters) == {closed.id, spam.id}
    key, letter = letters[closed.id]
    assert (key, letter.code, letter.tenant, letter.value) == (
        str(closed.id).encode(),
        "provider-refused",
        "default",
        None,
    )
    assert letter.headers["notification"] == str(closed.notification)
    async with asyncio.timeout(10):
        while (await plan.row(closed))["next_attempt_at"] is not None:
            await asyncio.sleep(0.05)


async def test_after_the_last_attempt_it_is_a_dead_letter(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    delivery = await plan.one()
    mail.react(delivery.address, *[Reaction("rcpt", "451 later")] * 3)
    start_workers(CARILLON_DELIVERY_MAX_ATTEMPTS="3")
    await work.name([delivery])
    row = await plan.until(delivery, "failed")
    assert (row["reason"], row["attempts"]) == ("attempts-exhausted", 3)
    ((_, letter),) = await work.dead(1)
    assert (letter.id, letter.code) == (delivery.id, "attempts-exhausted")
    assert mail.messages == []


async def test_it_slows_down_when_the_server_is_overloaded(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    deliveries = await plan.many([f"user-{n}" for n in range(20)])
    mail.react(ANYBODY, Reaction("mail", "421 4.3.2 too busy"), Reaction("rcpt", "450 4.2.0 too busy as well"))
    start_workers()
    await work.name(deliveries, each=5)
    await plan.until_all("sent", 20)
    retried = [row for delivery in deliveries for row in await plan.attempts(delivery) if row["outcome"] == "retry"]
    assert {row["code"] for row in retried} == {"421", "450"}


async def test_a_server_that_is_away_costs_no_attempt(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    mail.stop()
    workers = start_workers()
    deliveries = await plan.many(["ada", "bob", "cyd"])
    await work.name(deliveries)
    async with asyncio.timeout(20):
        while (await plan.row(deliveries[0]))["reason"] != "provider-unavailable":
            await asyncio.sleep(0.05)
    assert workers.of("delivery")[0].running
    mail.start()
    await plan.until_all("sent", 3)
    for delivery in deliveries:
        assert await _outcomes(plan, delivery) == [("sent", "250")]


async def test_a_connection_that_broke_while_idle_costs_no_attempt(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    start_workers(CARILLON_DELIVERY_CONCURRENCY="1")
    first, second, third = await plan.many(["ada", "bob", "cyd"])
    await work.name([first])
    await plan.until(first, "sent")
    mail.react(ANYBODY, Reaction("mail", drop=True))
    await work.name([second])
    await plan.until(second, "sent")
    mail.react(ANYBODY, Reaction("mail", "421 4.4.2 idle for too long"))
    await work.name([third])
    await plan.until(third, "sent")
    assert await _outcomes(plan, second) == [("sent", "250")]
    assert await _outcomes(plan, third) == [("sent", "250")]
    assert mail.sessions == 3


async def test_what_cannot_be_sent_is_not_tried(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    nowhere = await plan.one("nowhere", email=None)
    twisted = await plan.one("twisted", email="a@example.test>\r\nRCPT TO:<b@example.test")
    late = await plan.one("late", expires_in=-1)
    start_workers()
    await work.name([nowhere, twisted, late])
    assert (await plan.until(nowhere, "failed"))["reason"] == "no-address"
    assert (await plan.until(twisted, "failed"))["reason"] == "bad-address"
    assert (await plan.until(late, "expired"))["attempts"] == 0
    assert await plan.attempts(nowhere) == []
    assert {letter.id for _, letter in await work.dead(2)} == {nowhere.id, twisted.id}
    assert mail.messages == []
