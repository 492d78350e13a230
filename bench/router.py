"""Events per CPU second of a router process over a topic that was filled before, and its memory: first of single
recipients, then of a hundred each; 500 bytes, everyone connected to one of two gateways. Beside it an agent that does
nothing, on the same transport and the same events.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from uuid import uuid4

import asyncpg
import orjson
import psutil
from aiokafka import AIOKafkaProducer

from bench.result import Result, cpu_seconds
from bench.router_alone import router_alone
from devstack.stack import Stack
from libs.runtime.clock import iso, utc_now

EVENTS, USERS, PARTITIONS = 40_000, 5_000, 8
MANY, RECIPIENTS = 1_000, 100
GOAL = 6_000.0

_INTEREST = """
insert into gateway_slots select n, 1, 'bench', now() + interval '1 hour' from generate_series(0, 1) n;
insert into room_interest select 'default', 'user:u' || n, n % 2, 1 from generate_series(0, 4999) n;
analyze room_interest;
"""
_DONE = "select coalesce(sum(accepted + duplicates + dead), 0)::bigint from progress"


async def measure() -> list[Result]:
    """Events per CPU second of the router; PostgreSQL's CPU time an event apart."""
    async with router_alone(_INTEREST) as (stack, connection):
        await _fill(stack.kafka.bootstrap, EVENTS, 1)
        single, used, more = await _measure(stack, connection, EVENTS)
        beside = {"Faust, drained and acknowledged": await asyncio.to_thread(_drained, stack)}
        await _fill(stack.kafka.bootstrap, MANY, RECIPIENTS)
        many, used_by_many, more_of_many = await _measure(stack, connection, MANY)
    of_many = f"router, {RECIPIENTS} recipients an event"
    return [
        Result("router", single, "events/CPU-s", used, beside, GOAL, more),
        Result(of_many, many * RECIPIENTS, "recipients/CPU-s", used_by_many, {}, None, more_of_many),
    ]


async def _measure(stack: Stack, connection: asyncpg.Connection, events: int) -> tuple[float, float, dict[str, float]]:
    """Events per CPU second of the router over what was filled in, its CPU seconds, and what else was seen."""
    router = stack.services["router-1"]
    done = await _until(connection, 0)
    await asyncio.to_thread(router.spawn)
    assert router.pid is not None
    assert stack.postgres.pid is not None
    first = await _until(connection, done + 1)
    process = psutil.Process(router.pid)
    began, used, used_by_postgres = time.monotonic(), cpu_seconds(router.pid), cpu_seconds(stack.postgres.pid)
    routed = await _until(connection, done + events) - first
    seconds, used = time.monotonic() - began, cpu_seconds(router.pid) - used
    more = {
        "events": routed,
        "events a second": routed / seconds,
        "PostgreSQL CPU µs an event": (cpu_seconds(stack.postgres.pid) - used_by_postgres) / routed * 1e6,
        "memory, MB": process.memory_info().rss / 1e6,
    }
    await asyncio.to_thread(router.stop)
    return routed / used, used, more


async def _fill(bootstrap: str, events: int, recipients: int) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type="lz4", linger_ms=5, max_batch_size=256 * 1024
    ) as producer:
        for n in range(events):
            await producer.send("service.event", _event(n, recipients), partition=n % PARTITIONS)


def _event(n: int, recipients: int) -> bytes:
    now = iso(utc_now())
    return orjson.dumps(
        {
            "schemaVersion": 1,
            "id": str(uuid4()),
            "tenant": "default",
            "event": "service.event",
            "type": "service.event",
            "name": "shop.order.updated",
            "metadata": {"timestamp": now, "userId": "shop"},
            "data": {"order": n, "text": "x" * 110},
            "recipients": {"userIds": [f"u{(n * recipients + k) % USERS}" for k in range(recipients)]},
            "acceptedAt": now,
            "source": {"topic": "noti", "partition": n % PARTITIONS, "offset": n},
        }
    )


async def _until(connection: asyncpg.Connection, count: int) -> int:
    while (done := await connection.fetchval(_DONE)) < count:  # noqa: ASYNC110 - another process does the work
        await asyncio.sleep(0.05)
    return int(done)


def _drained(stack: Stack) -> float:
    router = stack.services["router-1"]
    command = [sys.executable, "-m", "bench.router_bare", str(EVENTS)]
    answer = subprocess.run(command, env=router.environment, capture_output=True, text=True, check=True, timeout=120)
    events, seconds = answer.stdout.split()[-2:]
    return float(events) / float(seconds)
