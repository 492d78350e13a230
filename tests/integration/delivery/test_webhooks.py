"""Webhooks from the ledger to a tenant's endpoint, and the guard in front of private networks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
from starlette.responses import Response

from libs.runtime.ids import endpoint_recipient
from services.delivery.adapters.http.posting import Poster
from services.delivery.errors import Invalid
from tests.integration.delivery.asked import LOOPBACK
from tests.integration.delivery.conftest import StartWorkers
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import Got, HttpPeer, running
from tests.integration.delivery.peers.webhooks import WebhookReceiver
from tests.integration.delivery.planned import TENANT, Plan, Work

pytestmark = pytest.mark.covers("F2-5", "F2-4")

DEVELOPMENT = {"CARILLON_EGRESS_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """Somebody's endpoint."""
    async with running(WebhookReceiver()) as receiver:
        yield receiver


async def _register(plan: Plan, url: str, *secrets: str) -> str:
    await plan.connection.execute(
        "insert into webhook_endpoints (tenant, endpoint_id, channel, url, secrets) "
        "values ($1, 'e', 'webhook', $2, $3)",
        TENANT,
        url,
        list(secrets),
    )
    return endpoint_recipient("e")


async def test_a_planned_webhook_arrives_signed(
    start_workers: StartWorkers, receiver: WebhookReceiver, plan: Plan, work: Work
) -> None:
    # The receiver still knows the old secret alone.
    to = await _register(plan, f"{receiver.url}/hook", "whsec_" + "AAAA" * 8, receiver.secret)
    start_workers(**DEVELOPMENT)
    delivery = await plan.one(to, channel="webhook")
    await work.name([delivery])
    row = await plan.until(delivery, "sent")
    (got,) = receiver.requests
    assert (got.path, got.headers["webhook-id"]) == ("/hook", str(delivery.id))
    body = orjson.loads(got.body)
    assert (body["type"], body["data"]["title"], body["data"]["data"]) == (
        "system.notification",
        "A title",
        {"ctaUrl": "/reports"},
    )
    assert row["attempts"] == 1


async def test_a_retry_has_the_same_id_and_an_endpoint_that_is_gone_is_asked_no_more(
    start_workers: StartWorkers, receiver: WebhookReceiver, plan: Plan, work: Work
) -> None:
    to = await _register(plan, f"{receiver.url}/hook", receiver.secret)
    receiver.case = Case.SERVER_ERROR
    start_workers(**DEVELOPMENT)
    delivery = await plan.one(to, channel="webhook")
    await work.name([delivery])
    await receiver.until_asked(1)
    receiver.case = Case.ACCEPTED
    await plan.until(delivery, "sent")
    assert len({got.headers["webhook-id"] for got in receiver.requests}) == 1
    assert len({got.body for got in receiver.requests}) == 1

    receiver.case = Case.BAD_ADDRESS
    last, after = await plan.one(to, channel="webhook"), await plan.one(to, channel="webhook")
    await work.name([last])
    assert (await plan.until(last, "failed"))["reason"] == "address-gone"
    disabled = await plan.connection.fetchrow("select disabled_at, disabled_reason from webhook_endpoints")
    assert disabled is not None
    assert disabled["disabled_at"] is not None
    asked = len(receiver.requests)
    await work.name([after])
    assert (await plan.until(after, "failed"))["reason"] == "no-address"
    assert len(receiver.requests) == asked


async def test_without_the_setting_nothing_private_is_asked(
    start_workers: StartWorkers, receiver: WebhookReceiver, plan: Plan, work: Work
) -> None:
    to = await _register(plan, receiver.url.replace("http:", "https:"), receiver.secret)
    start_workers()
    delivery = await plan.one(to, channel="webhook")
    await work.name([delivery])
    assert (await plan.until(delivery, "failed"))["reason"] == "forbidden-address"
    assert receiver.requests == []


class Redirecting(HttpPeer):
    """Sends everybody on, a number of times."""

    def __init__(self, location: str, times: int = 100, status: int = 307) -> None:
        super().__init__()
        self.location, self.times, self.status = location, times, status

    def answer(self, _got: Got, _case: Case) -> Response:
        if len(self.requests) > self.times:
            return Response(None, 204)
        return Response(None, self.status, {"Location": self.location})


@pytest.mark.parametrize(
    ("peer", "status", "requests"),
    [
        (Redirecting("/elsewhere", times=2), 204, 3),
        (Redirecting("/around"), 307, 4),
        (Redirecting("/elsewhere", status=302), 302, 1),
        (Redirecting("ftp://127.0.0.1/"), 307, 1),
    ],
    ids=["followed", "in-a-circle", "to-a-get", "out-of-the-web"],
)
async def test_redirects(peer: Redirecting, status: int, requests: int) -> None:
    poster = Poster(LOOPBACK, 2.0)
    async with running(peer):
        assert (await poster.post(peer.url, {}, b"{}")).status == status
        assert len(peer.requests) == requests
        assert {got.body for got in peer.requests} == {b"{}"}
        await poster.close()


@pytest.mark.parametrize("target", ["http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data"])
async def test_no_redirect_leads_into_a_private_network(target: str) -> None:
    poster, peer = Poster(LOOPBACK, 2.0), Redirecting(target)
    async with running(peer):
        with pytest.raises(Invalid, match="forbidden-address"):
            await poster.post(peer.url, {}, b"{}")
        await poster.close()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "2130706433", "0x7f.1"])
async def test_no_name_leads_into_a_private_network(name: str) -> None:
    poster = Poster((), 2.0)
    with pytest.raises(Invalid, match="forbidden-address"):
        await poster.post(f"https://{name}:9/", {}, b"{}")
    await poster.close()
