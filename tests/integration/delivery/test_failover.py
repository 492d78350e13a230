"""A second provider takes over from one that is away, and keeps what it may have when its process dies."""

from __future__ import annotations

import asyncio

import pytest

from devstack.smtp_peer import SmtpPeer
from tests.integration.delivery.conftest import StartWorkers
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import running
from tests.integration.delivery.peers.mails import Ses
from tests.integration.delivery.peers.texts import REGION, WHO
from tests.integration.delivery.planned import Plan, Planned, Work

pytestmark = pytest.mark.covers("B5", "F2-5")


async def _asked(plan: Plan, delivery: Planned) -> list[tuple[str, str]]:
    return [(row["provider"], row["outcome"]) for row in await plan.attempts(delivery)]


async def test_the_second_takes_over_and_a_repeat_goes_to_whom_the_dead_process_asked(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    await asyncio.to_thread(mail.stop)
    async with running(Ses()) as ses:
        (worker,) = start_workers(
            CARILLON_EMAIL_PROVIDERS="smtp,ses",
            CARILLON_SES_REGION=REGION,
            CARILLON_SES_KEY_ID=WHO.key_id,
            CARILLON_SES_SECRET=WHO.secret,
            CARILLON_SES_URL=ses.url,
        ).of("delivery")
        over = await plan.one("ada")
        await work.name([over])
        assert (await plan.until(over, "sent"))["provider"] == "ses"
        assert await _asked(plan, over) == [("smtp", "unavailable"), ("ses", "sent")]

        ses.case = Case.SILENT
        lost = await plan.one("bob")
        await work.name([lost])
        await ses.until_asked(2)
        worker.kill()
        await asyncio.to_thread(mail.start)  # the first is back, and would be asked for everything else
        ses.case = Case.ACCEPTED
        worker.spawn()
        assert (await plan.until(lost, "sent", timeout=40))["provider"] == "ses"
        assert await _asked(plan, lost) == [("ses", "unknown"), ("ses", "sent")]
        assert mail.messages == []

        after = await plan.one("cy")
        await work.name([after])
        assert (await plan.until(after, "sent"))["provider"] == "smtp"
