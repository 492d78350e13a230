"""Kafka and PostgreSQL stopped during a stream, shortly and for longer than every lease."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.conftest import LEASE
from tests.chaos.stream import People
from tests.chaos.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.covers("F0-1", "F2-5", "B9")]

EVENTS, PEOPLE, RATE = 2_000, 100, 200.0


@pytest.mark.parametrize("store", ["kafka", "postgres"])
@pytest.mark.parametrize("seconds", [20.0, 3 * LEASE], ids=["20s", "longer-than-leases"])
async def test_store_stopped(world: World, store: str, seconds: float) -> None:
    people = People.of(f"{store}{seconds:.0f}", PEOPLE)
    async with world.streaming(people, EVENTS, rate=RATE):
        await asyncio.sleep(3)
        await away(world, store, seconds)


async def test_router_sigterm_while_postgres_is_away(world: World) -> None:
    """The router holds a batch that it cannot write; stopping it then must not acknowledge it."""
    async with world.streaming(People.of("held", PEOPLE), EVENTS, rate=RATE):
        await asyncio.sleep(3)
        await asyncio.to_thread(world.stack.postgres.kill)
        await asyncio.sleep(5)
        router = world.stack.services["router-1"]
        await asyncio.to_thread(router.stop)
        await asyncio.to_thread(world.stack.postgres.start)
        await asyncio.to_thread(router.start)


async def away(world: World, store: str, seconds: float) -> None:
    """The store stopped for a time; the services stay up and hold what they have."""
    process = getattr(world.stack, store)
    await asyncio.to_thread(process.kill)
    await asyncio.sleep(seconds)  # being away for this long is what this test is about
    await asyncio.to_thread(process.start)
    stopped = [name for name, service in world.stack.services.items() if not service.running]
    assert stopped == [], "a service did not outlive the fault"
