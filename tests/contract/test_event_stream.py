"""The event stream, by the npm package `eventsource` and by plain HTTP, against running gateways (F4-3)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from libs.schemas.topics import GATEWAY_INBOX
from tests.contract.node_client import node
from tests.integration.gateway.clients import token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F4-3", "B9", "S1", "S22")

_SCRIPT = "event_stream.mjs"
STREAM = "/notifications/sse"
assert GATEWAY_INBOX.partitions > 4  # killed gateways keep their slots for a while


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return ENVIRONMENT | {"CARILLON_SSE_HEARTBEAT": "0.5"}


def address(url: str, bearer: str) -> str:
    return f"{url}{STREAM}?token={bearer}"


async def test_events_come_by_their_wire_names(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with node(_SCRIPT, address(gateways.url, token(f"u{name}", role="CUSTOMER"))) as client:
        connected = await client.next("connected")
        assert connected["data"]["userId"] == f"u{name}"
        await scribe.publish(f"user:u{name}", event="service.event", name="booking.created", type="booking.created")
        assert (await client.next("booking.created"))["data"]["type"] == "booking.created"
        record = await scribe.publish(f"user:u{name}", title="Upkeep")
        shown = await client.next("system.notification")
        assert shown["data"]["title"] == "Upkeep"
        assert (await client.next("heartbeat"))["id"] == shown["id"] != connected["id"]
        async with httpx.AsyncClient(base_url=gateways.other) as http:
            headers = {"Authorization": f"Bearer {token(f'u{name}')}"}
            await http.patch(f"/api/v1/notifications/{record.id}/read", headers=headers)
        assert (await client.next("notificationRead"))["data"]["notificationId"] == str(record.id)


async def test_who_comes_back_after_a_kill_gets_what_was_missed_once_and_in_order(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    process = gateways.services["gateway-2"]
    async with node(_SCRIPT, address(gateways.other, token(f"u{name}"))) as client:
        await client.next("connected")
        await scribe.publish(f"user:u{name}", data={"n": 0})
        shown = [await client.next("system.notification")]
        process.kill()
        await client.next("error")
        for number in (1, 2, 3):
            await scribe.write(f"user:u{name}", data={"n": number})
        await asyncio.to_thread(process.start)
        await client.next("connected")
        await scribe.publish(f"user:u{name}", data={"n": 4})
        shown += [await client.next("system.notification") for _ in range(4)]
        assert [event["data"]["data"]["n"] for event in shown] == [0, 1, 2, 3, 4]
        assert not [kind for kind, _ in client.said if kind == "system.notification"]


async def test_a_gateway_that_stops_says_when_to_come_back(gateways: Gateways, name: str) -> None:
    process = gateways.services["gateway-2"]
    async with node(_SCRIPT, address(gateways.other, token(f"u{name}"))) as client:
        await client.next("connected")
        assert await asyncio.to_thread(process.stop) == 0
        assert (await client.next("serverClosing"))["data"]["reconnectInMs"] >= 500
        await asyncio.to_thread(process.start)
        await client.next("connected")


async def test_a_wrong_token_is_refused_and_not_tried_again(gateways: Gateways) -> None:
    async with node(_SCRIPT, address(gateways.url, "nonsense")) as client:
        assert await client.next("error") == {"code": 401, "closed": True}
    async with httpx.AsyncClient(base_url=gateways.url) as http:
        refused = await http.get(STREAM)
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid-token")
        wrong = await http.get(STREAM, params={"dialect": "/none", "token": token("u")})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-request")


async def test_a_stream_ends_when_its_token_does(gateways: Gateways, name: str) -> None:
    # Verification allows five seconds of leeway, and so does the end.
    async with node(_SCRIPT, address(gateways.url, token(f"u{name}", lifetime=-2.5))) as client:
        await client.next("connected")
        said = [await client.next("error") for _ in range(3)]
    assert said[0]["data"]["code"] == "UNAUTHORIZED"
    assert said[-1] == {"code": 401, "closed": True}


async def test_a_header_brings_the_token_and_the_query_the_dialect(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    headers = {"Authorization": f"Bearer {token(f'u{name}')}"}
    query = {"dialect": "/notifications"}
    async with (
        httpx.AsyncClient(base_url=gateways.url, headers=headers) as http,
        http.stream("GET", STREAM, params=query) as answer,
        asyncio.timeout(10),
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache, no-transform"
        lines = answer.aiter_lines()
        assert await _event(lines) == "authenticated"
        await scribe.publish(f"user:u{name}")
        while await _event(lines) != "notification:new":
            pass


async def test_a_test_stream_needs_no_token(gateways: Gateways) -> None:
    async with node(_SCRIPT, f"{gateways.url}{STREAM}/test") as client:
        assert (await client.next("connected"))["data"] == {"test": True}
        assert (await client.next("test"))["data"]["title"] == "Test"
        await client.next("heartbeat")


async def test_no_log_holds_a_token(gateways: Gateways, name: str) -> None:
    good, bad = token(f"u{name}"), f"nonsense{name}"
    for bearer in (good, bad):
        async with node(_SCRIPT, address(gateways.url, bearer)) as client:
            await client.next("connected" if bearer == good else "error")
    text = gateways.services["gateway-1"].log.read_text()
    assert good not in text
    assert bad not in text


async def _event(lines: Any) -> str:
    async for line in lines:
        if line.startswith("event: "):
            return str(line.removeprefix("event: "))
    raise AssertionError("the stream ended")
