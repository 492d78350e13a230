"""Floods of events and of connections, on real sockets (S10, F1-5, F4-4)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import socketio

from tests.integration.gateway.clients import DEADLINE, Client, client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.transports import TRANSPORTS

pytestmark = pytest.mark.covers("S10", "F1-5", "F4-4")

BAN = 0.6


@pytest.fixture(scope="module", params=TRANSPORTS)
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    return ENVIRONMENT | {
        "CARILLON_TRANSPORT": request.param,
        "CARILLON_CONNECTIONS_PER_USER": "2",
        "CARILLON_CONNECTIONS_PER_TENANT": "6",
        "CARILLON_CONNECTIONS_PER_ADDRESS": "3",
        "CARILLON_EVENTS_PER_MINUTE": "30",
        "CARILLON_BAN_SECONDS": str(BAN),
        "CARILLON_BAN_LONGEST": "2.4",
        "CARILLON_TRUSTED_PROXIES": "127.0.0.0/8",
    }


def at(address: str) -> dict[str, Any]:
    """Comes through a proxy, from this address."""
    return {"headers": {"X-Forwarded-For": f"6.6.6.6, {address}"}}


async def refused(url: str, bearer: str, **options: Any) -> dict[str, Any]:
    """What a client is told that is not let in."""
    one = await Client(url).connect(auth={"token": bearer}, **options)
    error = await one.event("error")
    await asyncio.wait_for(one.disconnected.wait(), 5)
    assert not one.of("connected")
    return error


async def test_the_third_connection_of_a_user_is_refused_and_bans_for_a_while(gateways: Gateways, name: str) -> None:
    bearer = token(f"u{name}")
    lengths = []
    for _ in range(2):
        async with (
            client(gateways.url, bearer, **at("1.0.0.1")) as first,
            client(gateways.url, bearer, **at("1.0.0.2")),
        ):
            told = await refused(gateways.url, bearer, **at("1.0.0.3"))
            assert told["code"] == "TOO_MANY_CONNECTIONS"
            await first.io.disconnect()
            assert (await refused(gateways.url, bearer, **at("1.0.0.3")))["code"] == "BANNED"
            assert not first.of("error")
            began = asyncio.get_running_loop().time()

            async def let_in() -> bool:
                one = await Client(gateways.url).connect(auth={"token": bearer}, **at("1.0.0.3"))
                await one.until(lambda: one.told)
                await one.io.disconnect()
                return bool(one.of("connected"))

            await eventually(let_in, "the end of the ban")
            lengths.append(asyncio.get_running_loop().time() - began)
    assert lengths[0] < BAN * 1.7
    assert BAN * 1.5 < lengths[1] < BAN * 4  # twice as long
    async with client(gateways.other, bearer):
        pass


async def test_an_address_is_counted_where_a_trusted_proxy_saw_it(gateways: Gateways, name: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for number in range(3):
            one = client(gateways.url, token(f"u{number}{name}"), **at("2.0.0.1"))
            await stack.enter_async_context(one)
        assert (await refused(gateways.url, token(f"v{name}"), **at("2.0.0.1")))["code"] == "TOO_MANY_CONNECTIONS"
        assert (await refused(gateways.url, token(f"w{name}"), **at("2.0.0.1")))["code"] == "BANNED"
        await stack.enter_async_context(client(gateways.url, token(f"x{name}"), **at("2.0.0.2")))


async def test_a_tenant_is_full_for_everybody_and_nobody_is_banned(gateways: Gateways, scribe: Any, name: str) -> None:
    await scribe.tenant(f"t{name}")
    async with contextlib.AsyncExitStack() as stack:
        people = [token(f"u{number}", tenantId=f"t{name}") for number in range(6)]
        inside = [
            await stack.enter_async_context(client(gateways.url, bearer, **at(f"3.0.0.{number}")))
            for number, bearer in enumerate(people)
        ]
        newcomer = token("v", tenantId=f"t{name}")
        told = await refused(gateways.url, newcomer, **at("3.0.1.1"))
        assert told["code"] == "TOO_MANY_CONNECTIONS"
        assert "retryAfter" not in told
        await inside[-1].io.disconnect()
        await stack.enter_async_context(client(gateways.url, newcomer, **at("3.0.1.1")))


async def test_one_connection_counts_once_whatever_it_carries(gateways: Gateways, name: str) -> None:
    io = socketio.AsyncClient(reconnection=False)
    spaces = ["/", "/notifications", "/events", "/ws/notifications"]
    bearer = token(f"u{name}")
    await io.connect(gateways.url, namespaces=spaces, auth={"token": bearer}, transports=["websocket"], **at("4.0.0.1"))
    try:
        assert set(io.namespaces) == set(spaces)
        async with client(gateways.url, bearer, **at("4.0.0.1")):
            pass
    finally:
        await io.disconnect()


class Talker:
    """A socket of one namespace that talks a lot; `told` holds the errors."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.io = socketio.AsyncClient(reconnection=False)
        self.told: list[dict[str, Any]] = []
        self.pongs = 0
        self.gone = asyncio.Event()
        self.io.on("error", self._error, namespace=namespace)
        self.io.on("pong", self._pong, namespace=namespace)
        self.io.on("disconnect", lambda *_: self.gone.set(), namespace=namespace)

    async def _error(self, payload: dict[str, Any]) -> None:
        self.told.append(payload)

    async def _pong(self, *_: Any) -> None:
        self.pongs += 1

    async def say(self, times: int) -> None:
        """Says `ping` so often; what is said after the socket was closed is lost."""
        for _ in range(times):
            with contextlib.suppress(socketio.exceptions.BadNamespaceError):
                await self.io.emit("ping", namespace=self.namespace)


@contextlib.asynccontextmanager
async def talker(url: str, namespace: str, bearer: str, address: str) -> AsyncIterator[Talker]:
    one = Talker(namespace)
    await one.io.connect(url, namespaces=[namespace], auth={"token": bearer}, transports=["websocket"], **at(address))
    try:
        yield one
    finally:
        await one.io.disconnect()


@pytest.mark.parametrize(("namespace", "limit"), [("/ws/notifications", 10), ("/notifications", 30), ("/", 30)])
async def test_a_flood_is_told_once_then_ended(gateways: Gateways, name: str, namespace: str, limit: int) -> None:
    bearer = token(f"u{name}")
    async with talker(gateways.url, namespace, bearer, "5.0.0.1") as one:
        await one.say(limit + 5)
        await eventually(lambda: _true(one.told), "an error")
        assert one.pongs == limit
        assert [error["code"] for error in one.told] == ["RATE_LIMITED"]
        details = one.told[0].get("details", {})
        assert 0 < one.told[0].get("retryAfter", details.get("retry_after")) <= (5 if limit == 10 else 60)
        assert not one.gone.is_set()
        await one.say(limit * 10)
        await asyncio.wait_for(one.gone.wait(), DEADLINE)
        assert [error["code"] for error in one.told] == ["RATE_LIMITED"] * 2
    assert (await refused(gateways.url, bearer, **at("5.0.0.2")))["code"] == "BANNED"


async def _true(value: Any) -> bool:
    return bool(value)


async def test_limits_are_counted_for_operators(gateways: Gateways, name: str) -> None:
    bearer = token(f"u{name}")
    async with client(gateways.url, bearer, **at("7.0.0.1")), client(gateways.url, bearer, **at("7.0.0.1")):
        await refused(gateways.url, bearer, **at("7.0.0.1"))
    async with httpx.AsyncClient() as http:
        metrics = (await http.get(f"{gateways.url}/metrics")).text
    assert 'carillon_gateway_limited_total{limit="user"}' in metrics
    assert 'carillon_gateway_bans_total{reason="connections"}' in metrics
