"""Long polling over several gateways, behind proxies that bring a client back to its gateway and one that does not
(F1-5). npm's socket.io-client, each client on polling alone and as it begins by default."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contract.node_client import NodeClient, node
from tests.contract.proxies import Rule, caddy, proxy
from tests.integration.gateway.clients import token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F1-5", "F1-7")

_SCRIPT = "polling.mjs"
_CLIENTS, _EVENTS = 4, 5


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Our own transport alone: what stock python-socketio says of a session that it does not know is its own."""
    return ENVIRONMENT


@pytest.fixture
def ports(gateways: Gateways) -> list[int]:
    return [urlsplit(url).port or 0 for url in (gateways.url, gateways.other)]


async def _hear(scribe: Scribe, name: str, address: str, transports: str, cookies: str) -> None:
    """Several clients are let in by the proxy, and each hears everything once and in order."""
    async with AsyncExitStack() as stack:
        clients: list[NodeClient] = []
        for number in range(_CLIENTS):
            who = token(f"u{number}{name}", orgId=f"o{name}")
            clients.append(await stack.enter_async_context(node(_SCRIPT, address, who, transports, cookies)))
        for client in clients:
            await client.next("connected")
            if transports == "default":
                assert await client.next("upgrade") == "websocket"
        for number in range(_EVENTS):
            await scribe.publish(f"org:o{name}", data={"n": number})
        for client in clients:
            assert [await client.next("system.notification") for _ in range(_EVENTS)] == list(range(_EVENTS))
            assert [kind for kind, _ in client.said if kind in ("error", "connect_error", "disconnect")] == []


@pytest.mark.parametrize("transports", ["polling", "default"])
@pytest.mark.parametrize(("rule", "cookies"), [("cookie", "yes"), ("cookie or address", "no")])
async def test_each_client_stays_with_one_gateway(
    ports: list[int], scribe: Scribe, name: str, transports: str, rule: Rule, cookies: str
) -> None:
    async with proxy(ports, rule) as (address, ours):
        await _hear(scribe, name, address, transports, cookies)
        went = list(ours.went.values())
        assert len(went) == _CLIENTS
        assert all(len(gateways) == 1 for gateways in went)
        if rule == "cookie":
            assert {0, 1} == set[int]().union(*went), "both gateways have clients"


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed; the proxy above follows its rule")
@pytest.mark.parametrize("transports", ["polling", "default"])
async def test_caddy_by_the_file_of_compose(
    ports: list[int], scribe: Scribe, name: str, transports: str, tmp_path: Path
) -> None:
    async with caddy(ports, tmp_path) as address:
        await _hear(scribe, name, address, transports, "yes")


@pytest.mark.parametrize("cookies", ["yes", "no"])
async def test_without_stickiness_polling_fails_with_a_clear_error(ports: list[int], name: str, cookies: str) -> None:
    async with proxy(ports, "none") as (address, ours):
        async with node(_SCRIPT, address, token(f"u{name}"), "polling", cookies) as client:
            error = await client.next("error")
            assert error["status"] == 400
            assert error["body"] == '{"code":1,"message":"Session ID unknown"}'
        assert any(len(gateways) == 2 for gateways in ours.went.values())


async def test_without_stickiness_a_web_socket_needs_none(ports: list[int], scribe: Scribe, name: str) -> None:
    async with proxy(ports, "none") as (address, _):
        await _hear(scribe, name, address, "websocket", "no")
