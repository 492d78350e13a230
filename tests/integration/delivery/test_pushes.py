"""Pushes from the ledger to a person's browsers: encrypted, one delivery for all, and without those that are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest

from services.delivery.domain.encryption import unpadded
from tests.integration.delivery.conftest import StartWorkers
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import running
from tests.integration.delivery.peers.pushes import WebPushService
from tests.integration.delivery.planned import TENANT, Plan, Work

pytestmark = pytest.mark.covers("F2-5", "F3-4")

TOLD = {
    "CARILLON_CHANNELS": "email,push",
    "CARILLON_EGRESS_NETWORKS": "127.0.0.0/8",
    "CARILLON_WEBPUSH_KEY": unpadded(b"\1" * 32),
}


@pytest.fixture
async def service() -> AsyncIterator[WebPushService]:
    """A browser's push service."""
    async with running(WebPushService()) as service:
        yield service


async def _carry(plan: Plan, user: str, service: WebPushService, url: str, name: str) -> None:
    device = service.subscription(url, name)
    await plan.connection.execute(
        "insert into devices (tenant, user_id, device_id, platform, token, keys) values ($1, $2, $3, 'web', $4, $5)",
        TENANT,
        user,
        name,
        device.token,
        orjson.dumps(device.keys).decode(),
    )


async def _devices(plan: Plan) -> list[str]:
    return [row["device_id"] for row in await plan.connection.fetch("select device_id from devices order by 1")]


async def test_a_push_is_decrypted_and_shown(
    start_workers: StartWorkers, service: WebPushService, plan: Plan, work: Work
) -> None:
    await _carry(plan, "ada", service, service.url, "laptop")
    start_workers(**TOLD)
    delivery = await plan.one("ada", channel="push")
    await work.name([delivery])
    await plan.until(delivery, "sent")
    (shown,) = service.shown
    assert shown == {
        "title": "A title",
        "body": "Some **words**.",
        "notificationId": str(delivery.notification),
        "url": "https://app.example.test/reports",
    }
    (got,) = service.requests
    assert (got.headers["urgency"], got.headers["content-encoding"]) == ("normal", "aes128gcm")


async def test_who_has_it_is_not_sent_it_again_and_who_is_gone_is_removed(
    start_workers: StartWorkers, service: WebPushService, plan: Plan, work: Work
) -> None:
    async with running(WebPushService()) as other:
        other.case = Case.SERVER_ERROR
        await _carry(plan, "ada", service, service.url, "laptop")
        await _carry(plan, "ada", other, other.url, "phone")
        start_workers(**TOLD)
        delivery = await plan.one("ada", channel="push")
        await work.name([delivery])
        await other.until_asked(2)
        other.case = Case.ACCEPTED
        row = await plan.until(delivery, "sent")
        assert (len(service.shown), len(other.shown)) == (1, 1)
        assert row["reached"] == ["laptop"]

        other.case = Case.BAD_ADDRESS
        last = await plan.one("ada", channel="push")
        await work.name([last])
        await plan.until(last, "sent")
        assert await _devices(plan) == ["laptop"]

        service.case = Case.BAD_ADDRESS
        nobody = await plan.one("ada", channel="push")
        await work.name([nobody])
        assert (await plan.until(nobody, "failed"))["reason"] == "address-gone"
        assert await _devices(plan) == []
