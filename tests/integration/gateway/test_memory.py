"""What a connected person costs the gateway in memory, as its own metric says: below 50 KB (F1-6)."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.gateway.clients import eventually, measured, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.crowd import Member
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F1-6")

_CROWD, _PATIENCE = 400, 90.0
_LIMIT = 50_000  # bytes; what the process sets aside for the first connections is counted with it


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Time to let everybody in on a busy machine."""
    return ENVIRONMENT | {"CARILLON_CONNECT_TIMEOUT": "60"}


async def test_a_connection_takes_less_than_50_kb(gateways: Gateways, scribe: Scribe, name: str) -> None:
    assert await measured(gateways.url, "carillon_gateway_bytes_per_connection") == 0
    people = (token(f"{name}{number}", orgId=f"o{name}") for number in range(_CROWD))
    members = [Member([gateways.url], person) for person in people]
    running = [asyncio.create_task(member.run()) for member in members]
    try:
        await asyncio.wait_for(asyncio.gather(*(member.connected.wait() for member in members)), _PATIENCE)
        for number in range(3):
            await scribe.publish(f"org:o{name}", data={"n": number, "text": "x" * 300})

        async def settled() -> bool:
            heard = all(member.shown == [0, 1, 2] for member in members)
            return heard and 0 < await measured(gateways.url, "carillon_gateway_bytes_per_connection") < _LIMIT

        assert await measured(gateways.url, "carillon_gateway_connections") == _CROWD
        await eventually(settled, "the memory of a connection", _PATIENCE)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
