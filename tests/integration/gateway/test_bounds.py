"""What one client may cost the gateway: unread bytes, large messages, floods, idle sockets, requests without an end."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.fanout.conftest import hang_up
from tests.integration.fanout.raw import Raw
from tests.integration.gateway.clients import DEADLINE, Client, client, measured, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

__all__ = ["hang_up"]

pytestmark = pytest.mark.covers("F4-4", "S10")

_UNREAD = 40_000
_NEW = ("notification:new", "notification:batch")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Bounds that a test reaches in a second."""
    return ENVIRONMENT | {
        "CARILLON_SLOW_BYTES": str(_UNREAD),
        "CARILLON_SOCKET_MESSAGE_BYTES": "5000",
        "CARILLON_JOIN_TIMEOUT": "1",
        "CARILLON_HANDSHAKE_TIMEOUT": "0.5",
        "CARILLON_PING_INTERVAL": "1",
    }


async def closed(gateways: Gateways, reason: str) -> int:
    """How many sockets the transport of the first gateway has closed for a reason."""
    return int(await measured(gateways.url, f'carillon_gateway_sockets_closed_total{{reason="{reason}"}}'))


def port(gateways: Gateways) -> int:
    """Of the first gateway."""
    found = urlsplit(gateways.url).port
    assert found is not None
    return found


async def test_who_does_not_read_is_cut_off_and_resumes_from_its_position(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    bearer, room = token(f"u{name}"), f"user:u{name}"
    async with client(gateways.url, bearer) as one:
        await one.event("resync")
        position = dict(one.position)
    slow = await Raw.joined(port(gateways), f'{{"token":"{bearer}"}}')
    reading: Any = slow.writer.transport
    reading.pause_reading()
    before, sent = await closed(gateways, "slow"), 0
    while await closed(gateways, "slow") == before:
        # The kernel's buffers of both sides fill first.
        await scribe.publish(room, data={"n": sent, "text": "x" * 400_000})
        sent += 1
        assert sent < 45, "the slow client was never cut off"
    async with client(gateways.url, bearer, position) as again:
        await again.shows(*range(sent))


async def test_what_was_missed_comes_in_portions(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer, room, many = token(f"u{name}"), f"user:u{name}", 45
    async with client(gateways.url, bearer, namespace="/notifications") as one:
        await one.event("resync")
        position = dict(one.position)
    for number in range(many):
        await scribe.write(room, data={"n": number, "text": "x" * 2_000})
    async with client(gateways.other, bearer, position, namespace="/notifications") as again:
        await again.until(lambda: len(_told(again)) >= many)
        assert _told(again) == list(range(many))
        assert max(len(batch["notifications"]) for batch in again.of("notification:batch")) <= _UNREAD // 4 // 2_000
    async with client(gateways.url, token(f"u{name}")) as newest:
        await newest.event("resync")
        shown = newest.shown()
        assert shown == list(range(many - len(shown), many))
        assert 1 <= len(shown) <= _UNREAD // 4 // 2_000


def _told(one: Client) -> list[int]:
    told = [n for event, payload in one.told for n in payload.get("notifications", [payload]) if event in _NEW]
    return [notification["data"]["n"] for notification in told]


async def test_a_message_too_large_closes(gateways: Gateways) -> None:
    raw = await Raw.joined(port(gateways), f'{{"token":"{token("large")}"}}')
    raw.send('42["authenticate",{"token":"' + "x" * 5_000 + '"}]')
    assert await raw.closed() in (1009, None)


async def test_a_flood_closes(gateways: Gateways) -> None:
    raw = await Raw.joined(port(gateways), f'{{"token":"{token("flood")}"}}')
    for _ in range(5_000):
        raw.send('42["ping"]')
    assert await raw.closed() in (1008, None)
    assert await closed(gateways, "flooding") == 1


async def test_who_never_joins_and_who_was_refused_and_stays_are_closed(gateways: Gateways) -> None:
    before = await closed(gateways, "idle")
    idle = await Raw.open(port(gateways))
    refused = await Raw.joined(port(gateways), '{"token":"nonsense"}')

    async def hold(raw: Raw) -> int | None:
        while True:
            opcode, payload = await raw.frame(10)
            if opcode == 8:
                return int.from_bytes(payload[:2], "big")
            if payload == b"2":
                raw.send("3")

    assert list(await asyncio.gather(hold(idle), hold(refused))) == [1000, 1000]
    assert await closed(gateways, "idle") == before + 2


async def test_a_connection_that_polls_and_never_joins_is_ended(gateways: Gateways) -> None:
    async with httpx.AsyncClient(timeout=DEADLINE) as http:
        opened = await http.get(f"{gateways.url}/socket.io/?EIO=4&transport=polling")
        sid = opened.text.split('"sid":"')[1].split('"')[0]
        answer = await http.get(f"{gateways.url}/socket.io/?EIO=4&transport=polling&sid={sid}")
        assert answer.status_code == 400 or answer.text == "1"


async def test_a_request_without_an_end_is_not_waited_for(gateways: Gateways) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port(gateways))
    writer.write(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert await closed(gateways, "unfinished") == 1
