"""Two gateways and two routers on eight partitions: a rebalance in the middle, and both routers on the same events."""

from __future__ import annotations

import asyncio
import base64
import os
import signal

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from devstack.layout import counts
from libs.runtime.clock import iso, utc_now
from tests.chaos.stream import People
from tests.chaos.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.covers("F0-3", "F0-4", "B9")]

PROCESSES = counts(routers=2, gateways=2)
EVENTS, PEOPLE, RATE = 5_000, 200, 250.0


async def test_rebalance_in_the_middle(world: World) -> None:
    """One router goes and comes back, then a gateway is killed: its clients resume on the other."""
    async with world.streaming(People.of("two", PEOPLE), EVENTS, rate=RATE, reconnects=True):
        for name in ("router-2", "gateway-1", "router-1", "gateway-2"):
            await asyncio.sleep(1.5)
            process = world.stack.services[name]
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(process.start)


async def test_routers_overlap_on_the_same_events(world: World) -> None:
    """A router that was frozen for longer than its session wakes while the other has its partitions."""
    async with world.streaming(People.of("overlap", PEOPLE), EVENTS, rate=RATE):
        for name in ("router-1", "router-2"):
            await asyncio.sleep(1.5)
            pid = world.stack.services[name].pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(13)  # longer than the session time-out of ten seconds
            os.kill(pid, signal.SIGCONT)


async def test_poison_in_the_stream(world: World) -> None:
    """NUL, oversize and garbage among the events are set aside with their reason; all others arrive."""
    before = await _dead(world)
    async with world.streaming(People.of("poison", 40), 1_000, rate=RATE):
        await _poison(world)
    assert await _dead(world) == before + 4


async def _poison(world: World) -> None:
    plain = {
        "event": "service.alert",
        "data": {"title": "t", "message": "m", "metadata": {"timestamp": iso(utc_now())}},
    }
    nul = orjson.dumps(plain).replace(b'"m"', b'"a\\u0000b"')
    oversize = orjson.dumps(plain).replace(b'"m"', b'"' + b"x" * 200_000 + b'"')
    accepted = {
        "id": "00000000-0000-4000-8000-00000000dead", "tenant": "default", "event": "service.alert",
        "type": "service.alert", "title": "a\x00b", "message": "m", "metadata": {}, "acceptedAt": iso(utc_now()),
        "source": {"topic": "test"}, "recipients": {"userIds": ["poison-u0"]},
    }  # fmt: skip
    async with AIOKafkaProducer(bootstrap_servers=world.bootstrap) as producer:
        for topic, value in (("noti", nul), ("noti", oversize), ("noti", base64.b85encode(os.urandom(30)))):
            await producer.send_and_wait(topic, value)
        # Past ingest, so that the router itself must cope.
        await producer.send_and_wait("service.alert", orjson.dumps(accepted))


async def _dead(world: World) -> int:
    return int(str(await world.value("select coalesce(sum(dead), 0)::bigint from progress")))
