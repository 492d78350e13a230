"""Running servers, and a wait with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import socketio

from tests.integration.fanout import raw
from tests.integration.fanout.server import BY_ASGI, OURS, STOCK, Running, serving


@pytest.fixture(scope="module", params=[STOCK, OURS, BY_ASGI])
def any_server(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Each server in turn: what is asked of it is the same."""
    with serving(request.param, ping_interval=1, ping_timeout=1) as running:
        yield running


@pytest.fixture(scope="module", params=[OURS, BY_ASGI])
def our_server(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Ours on both roads, with pings within a second."""
    with serving(request.param, ping_interval=0.3, ping_timeout=0.3) as running:
        yield running


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Any]]:
    """Call it with a server and python-socketio's arguments to get a connected client, closed with the test."""
    clients: list[socketio.AsyncClient] = []

    async def connected(server: Running, *transports: str, **options: Any) -> Any:
        client = socketio.AsyncClient(reconnection=False)
        client.heard = []
        for namespace in options.get("namespaces", ["/"]):
            client.on("*", lambda event, *data: client.heard.append((event, *data)), namespace=namespace)
        client.on("ask", lambda number: number * 2)
        clients.append(client)
        await client.connect(server.url, transports=list(transports) or ["websocket"], **options)
        return client

    yield connected
    for client in clients:
        await client.disconnect()


@pytest.fixture(autouse=True)
async def hang_up() -> AsyncIterator[None]:
    """Closes what a test opened by hand."""
    yield
    while raw.opened:
        connection = raw.opened.pop()
        connection.close()
        with contextlib.suppress(OSError):
            await connection.writer.wait_closed()


@pytest.fixture
def until() -> Callable[..., Any]:
    """`await until(condition)`: waits for it, at most ten seconds."""

    async def wait(condition: Callable[[], object], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not become true"
            await asyncio.sleep(0.01)

    return wait
