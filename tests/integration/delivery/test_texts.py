"""Text messages from the ledger to Twilio: at most once where nobody knows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.delivery.conftest import StartWorkers
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import running
from tests.integration.delivery.peers.texts import ACCOUNT, Twilio
from tests.integration.delivery.planned import TENANT, Plan, Planned, Work

pytestmark = pytest.mark.covers("F2-5")


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    """Twilio."""
    async with running(Twilio()) as twilio:
        yield twilio


def _told(twilio: Twilio) -> dict[str, str]:
    return {
        "CARILLON_CHANNELS": "sms",
        "CARILLON_TWILIO_ACCOUNT": ACCOUNT,
        "CARILLON_TWILIO_TOKEN": twilio.token,
        "CARILLON_TWILIO_FROM": "+15005550006",
        "CARILLON_TWILIO_URL": f"{twilio.url}/",
    }


async def _planned(plan: Plan, user: str, phone: str | None) -> Planned:
    delivery = await plan.one(user, channel="sms")
    await plan.connection.execute("update users set phone = $3 where tenant = $1 and user_id = $2", TENANT, user, phone)
    return delivery


async def test_a_text_is_sent(start_workers: StartWorkers, twilio: Twilio, plan: Plan, work: Work) -> None:
    delivery = await _planned(plan, "ada", "+1 500 555 0001")
    nowhere = await _planned(plan, "bob", None)
    start_workers(**_told(twilio))
    await work.name([delivery, nowhere])
    row = await plan.until(delivery, "sent")
    assert row["provider_message_id"] == "SM" + "1" * 32
    (got,) = twilio.requests
    assert twilio.form(got) == {
        "To": "+15005550001",
        "From": "+15005550006",
        "Body": "A title: Some **words**. https://app.example.test/reports",
    }
    assert (await plan.until(nowhere, "failed"))["reason"] == "no-address"


@pytest.mark.parametrize("case", [Case.RESET, Case.SILENT, Case.SERVER_ERROR, Case.MALFORMED])
async def test_what_may_have_been_sent_is_never_repeated(
    start_workers: StartWorkers, twilio: Twilio, plan: Plan, work: Work, case: Case
) -> None:
    twilio.case = case
    uncertain = await _planned(plan, "ada", "+15005550001")
    start_workers(**_told(twilio))
    await work.name([uncertain])
    row = await plan.until(uncertain, "unknown")
    assert (row["reason"], row["next_attempt_at"], row["attempts"]) == ("outcome-unknown", None, 1)
    twilio.case = Case.ACCEPTED
    after = await _planned(plan, "bob", "+15005550002")
    await work.name([uncertain, after])
    await plan.until(after, "sent")
    assert [twilio.form(got)["To"] for got in twilio.requests] == ["+15005550001", "+15005550002"]
    assert (await plan.row(uncertain))["state"] == "unknown"
