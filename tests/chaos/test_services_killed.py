"""SIGKILL and SIGTERM of each service at random moments of a stream: nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.chaos.stream import People
from tests.chaos.world import World

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.covers("F0-1", "F0-5", "F2-5", "B7", "B9"),
]

EVENTS, PEOPLE, RATE = 5_000, 200, 250.0


async def test_sigkill_of_each_service(world: World) -> None:
    """Two rounds of all four, in random order, during 5,000 events to 200 clients."""
    async with world.streaming(People.of("kill", PEOPLE), EVENTS, rate=RATE, reconnects=True):
        await disturb(world, "kill")


async def test_sigterm_of_each_service(world: World) -> None:
    """The same with a graceful stop."""
    async with world.streaming(People.of("term", PEOPLE), EVENTS, rate=RATE, reconnects=True):
        await disturb(world, "stop")


async def disturb(world: World, how: str) -> None:
    """Ends every process twice, by `how` (kill or stop), and starts it again."""
    names = [*world.stack.services, *world.stack.services]
    random.shuffle(names)
    for name in names:
        await asyncio.sleep(random.uniform(0.3, 1.5))  # a random moment is what this test is about
        process = world.stack.services[name]
        await asyncio.to_thread(getattr(process, how))
        await asyncio.to_thread(process.start)
