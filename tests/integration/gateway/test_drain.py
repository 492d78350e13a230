"""A gateway stops: its clients are told, closed over a window, and go on with another one without loss (F1-5).

`python -m bench drain` does the same with 5,000.
"""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest

from tests.integration.gateway.clients import eventually, measured, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.crowd import Member
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("B9")

_CROWD = 300  # clients
_PATIENCE = 75.0  # seconds
_WINDOW = 1.5  # seconds


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """A window that the test can see."""
    more = {"CARILLON_DRAIN_WINDOW": str(_WINDOW), "CARILLON_CONNECT_TIMEOUT": "20", "CARILLON_RESUME_LIMIT": "1000"}
    return ENVIRONMENT | more


async def is_ready(url: str) -> bool:
    """Whether the gateway wants new clients."""
    async with httpx.AsyncClient() as http:
        with contextlib.suppress(httpx.HTTPError):
            return (await http.get(f"{url}/readyz")).is_success
    return False


async def test_clients_of_a_stopping_gateway_go_on_with_another_without_loss(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    members = [
        Member([gateways.url, gateways.other], token(f"{name}{number}", orgId=f"o{name}")) for number in range(_CROWD)
    ]
    running = [asyncio.create_task(member.run()) for member in members]
    try:
        await asyncio.wait_for(asyncio.gather(*(member.connected.wait() for member in members)), _PATIENCE)

        assert await measured(gateways.url, "carillon_gateway_loop_lag_seconds") >= 0
        published = asyncio.create_task(_publish(scribe, f"org:o{name}", gateways, stop_at=10))
        sent = await published
        await asyncio.wait_for(asyncio.gather(*(member.connected.wait() for member in members)), _PATIENCE)
        await scribe.publish(f"org:o{name}", data={"n": sent})

        async def all_shown() -> bool:
            return all(len(member.shown) > sent for member in members)

        await eventually(all_shown, "everybody to be shown everything", _PATIENCE)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    for member in members:
        assert member.shown == list(range(sent + 1))
        assert member.resyncs == ["no-position"]
    assert len({member.pause for member in members}) > _CROWD / 4
    ends = [member.closed_at for member in members]
    assert max(ends) - min(ends) > _WINDOW / 2


async def _publish(scribe: Scribe, room: str, gateways: Gateways, stop_at: int) -> int:
    """Publishes until the first gateway, which is told to stop on the way, has ended; how many."""
    stopping: asyncio.Task[int | None] | None = None
    seen_unready, sent = False, 0
    while stopping is None or not stopping.done():
        await scribe.publish(room, data={"n": sent})
        sent += 1
        if sent == stop_at:
            stopping = asyncio.create_task(asyncio.to_thread(gateways.services["gateway-1"].stop))
        if stopping is not None and not stopping.done():
            seen_unready = seen_unready or not await is_ready(gateways.url)
    assert await stopping == 0
    assert seen_unready
    assert await is_ready(gateways.other)
    return sent
