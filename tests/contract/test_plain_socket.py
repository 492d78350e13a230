"""Plain WebSocket by npm's `ws`, as wscat and browsers speak it: the same sessions, in any dialect (F4-1, S1, F2-3)."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.contract.node_client import NodeClient, node
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F2-3", "F4-1", "S1", "S9", "S21", "S22")

_SCRIPT = "plain_socket.mjs"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    times = {"CARILLON_HEARTBEAT_INTERVAL": "0.5", "CARILLON_PING_INTERVAL": "1", "CARILLON_PING_TIMEOUT": "1"}
    return ENVIRONMENT | times | {"CARILLON_SLOW_BYTES": "200000", "CARILLON_SOCKET_MESSAGE_BYTES": "10000"}


def address(url: str, path: str, **query: str) -> str:
    return f"{url.replace('http', 'ws')}{path}?{'&'.join(f'{name}={value}' for name, value in query.items())}"


async def send(one: NodeClient, event: str, **data: object) -> None:
    await one.do("send", json.dumps({"event": event, "data": data}))


@pytest.mark.parametrize("path", ["/ws/notifications", "/ws"])
async def test_wscat_is_shown_the_marketplace_dialect(gateways: Gateways, scribe: Scribe, name: str, path: str) -> None:
    async with node(_SCRIPT, address(gateways.url, path, token=token(f"u{name}", role="CUSTOMER"))) as one:
        connected = await one.next("connected")
        assert (connected["userId"], connected["roles"]) == (f"u{name}", ["CUSTOMER"])
        kind = {"event": "service.event", "type": "nearby-job", "name": "nearby-job"}
        record = await scribe.publish(f"user:u{name}", **kind)
        assert (await one.next("nearby-job"))["id"] == str(record.id)
        await one.do("send", '{"event": "ping"}')
        assert (await one.next("pong"))["timestamp"].endswith("Z")
        await send(one, "markNotificationRead", notificationId=str(record.id))
        assert (await one.next("notificationRead"))["notificationId"] == str(record.id)
        assert (await one.next("heartbeat"))["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("dialect", "ready", "event"),
    [
        ("/", "connected", "system.notification"),
        ("/notifications", "authenticated", "notification:new"),
        ("/events", "connected", "notification:new"),
    ],
)
async def test_the_other_dialects_are_spoken_on_request(
    gateways: Gateways, scribe: Scribe, name: str, dialect: str, ready: str, event: str
) -> None:
    async with node(_SCRIPT, address(gateways.url, "/ws", dialect=dialect), token(f"u{name}")) as one:
        await one.next(ready)
        await scribe.publish(f"user:u{name}", title="T7")
        shown = await one.next(event)
        assert shown["title"] == "T7"
        assert dialect != "/events" or shown["userId"] == f"u{name}"


async def test_a_reading_here_is_seen_on_socket_io(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer = token(f"u{name}")
    async with client(gateways.other, bearer) as other, node(_SCRIPT, address(gateways.url, "/ws"), bearer) as one:
        await one.next("connected")
        record = await scribe.publish(f"user:u{name}")
        await one.next("system.notification")
        await send(one, "markNotificationRead", notificationId=str(record.id))
        assert (await other.event("notification.read"))["notificationId"] == str(record.id)


async def test_a_position_brings_what_was_missed(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer = token(f"u{name}")
    async with node(_SCRIPT, address(gateways.url, "/ws", token=bearer)) as one:
        position = (await one.next("connected"))["position"]
    await scribe.publish(f"user:u{name}", title="missed")
    where = json.dumps(position).replace(" ", "")
    async with node(_SCRIPT, address(gateways.url, "/ws", token=bearer, position=where)) as one:
        assert (await one.next("system.notification"))["title"] == "missed"


async def test_what_was_received_counts_as_delivered(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with node(_SCRIPT, address(gateways.url, "/ws", token=token(f"u{name}"))) as one:
        await one.next("connected")
        await scribe.publish(f"user:u{name}")
        await one.next("system.notification")
        await one.next("ws-ping")
        query = "select delivered_seq from room_watermarks where room = $1"
        await eventually(lambda: scribe.value(query, f"user:u{name}"), "the watermark")


async def test_a_refusal_is_told_and_closes(gateways: Gateways) -> None:
    async with node(_SCRIPT, address(gateways.url, "/ws/notifications", token="nonsense")) as one:
        assert (await one.next("error"))["code"] == "UNAUTHORIZED"
        assert await one.next("close") == 1008
    async with node(_SCRIPT, address(gateways.url, "/ws", token=token("u"), dialect="klingon")) as one:
        error = await one.next("error")
        assert (error["code"], error["field"]) == ("INVALID_ARGUMENT", "dialect")
        assert await one.next("close") == 1008


async def test_what_is_no_frame_is_an_error_and_what_is_too_large_the_end(gateways: Gateways, name: str) -> None:
    async with node(_SCRIPT, address(gateways.url, "/ws", token=token(f"u{name}"))) as one:
        await one.next("connected")
        for text in ("coffee", "7", '["event"]', '{"event": 7}', '{"data": {}}'):
            await one.do("send", text)
            assert (await one.next("error"))["code"] == "INVALID_FRAME"
        await one.do("binary", "{}")
        assert (await one.next("error"))["code"] == "INVALID_FRAME"
        await send(one, "make coffee")
        assert (await one.next("error"))["code"] == "UNKNOWN_EVENT"
        await send(one, "joinRoom", room="x" * 20_000)
        assert await one.next("close") == 1009


async def test_who_reads_nothing_is_cut_off(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with node(_SCRIPT, address(gateways.url, "/ws", token=token(f"u{name}"))) as one:
        await one.next("connected")
        await one.do("pause")
        for _ in range(60):  # sockets of the kernel hold some megabytes
            await scribe.publish(f"user:u{name}", message="m" * 10_000, data={"filling": "x" * 100_000})
        await eventually(lambda: _cut(gateways), "the end of the slow socket")


async def _cut(gateways: Gateways) -> bool:
    async with httpx.AsyncClient(base_url=gateways.url) as http:
        lines = (await http.get("/metrics")).text.splitlines()
    return any(line.startswith("carillon_gateway_plain_sockets_cut_total") and line[-3:] != "0.0" for line in lines)
