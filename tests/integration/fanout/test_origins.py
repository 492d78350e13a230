"""Which pages may call: on both transports, with the headers that browsers ask for."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.fanout.raw import Raw
from tests.integration.fanout.server import BY_ASGI, OURS, Running, serving

pytestmark = pytest.mark.covers("S6")

POLLING = "/socket.io/?EIO=4&transport=polling"
FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


@pytest.fixture(scope="module", params=[OURS, BY_ASGI])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with serving(request.param, cors_allowed_origins=[FRIEND], cookie="io") as running:
        yield running


async def test_polling(server: Running) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        allowed = await http.get(POLLING, headers={"Origin": FRIEND})
        refused = await http.get(POLLING, headers={"Origin": STRANGER})
        asked = await http.options(POLLING, headers={"Origin": FRIEND, "Access-Control-Request-Headers": "x-a"})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == FRIEND
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert allowed.headers["set-cookie"].startswith("io=")
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-headers"] == "x-a"


async def test_websockets(server: Running) -> None:
    allowed = await Raw.open(server.port, headers=f"Origin: {FRIEND}\r\n")
    assert b" 101 " in allowed.head
    assert b"set-cookie: io=" in allowed.head.lower()
    refused = await Raw.open(server.port, headers=f"Origin: {STRANGER}\r\n")
    assert b" 101 " not in refused.head
