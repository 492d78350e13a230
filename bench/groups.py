"""An announcement to an organisation of a million members by mail: people decided per CPU second of a router process,
its memory, and how long the events of another tenant take meanwhile; and what the same costs in-app alone.
"""

from __future__ import annotations

import asyncio
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

MEMBERS, SECONDS, NEIGHBOURS = 1_000_000, 10.0, 100
LIMIT = 300.0  # seconds for the whole of it
GOAL = 5_000.0

_MEMBERS = f"""
insert into users (tenant, user_id, email) select 'default', 'u' || n, 'u' || n || '@example.test'
  from generate_series(1, {MEMBERS}) n;
insert into memberships (tenant, user_id, room, joined_at, joined_seq, source)
  select 'default', 'u' || n, 'org:o', now(), 0, 'directory' from generate_series(1, {MEMBERS}) n;
insert into tenants (tenant) values ('other');
analyze users, memberships;
"""
_PLANNED = "select coalesce(sum(planned), 0)::bigint from expansions"
_WRITTEN = "select count(*) from notifications where tenant = $1"
_LATE = """
select percentile_cont(0.99) within group (order by extract(epoch from l.at - n.accepted_at)) * 1000
from room_log l join notifications n on n.tenant = l.tenant and n.id = l.notification where l.tenant = 'other'"""


async def measure() -> list[Result]:
    """People per CPU second; megabytes and milliseconds beside."""
    async with (
        asyncio.timeout(LIMIT),  # a router that dies would be waited for otherwise
        router_alone(_MEMBERS) as (stack, connection),
        AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap) as producer,
    ):
        return [await _measure(stack, connection, producer)]


async def _measure(stack: Stack, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> Result:
    router = stack.services["router-1"]
    await asyncio.to_thread(router.spawn)
    assert router.pid is not None
    in_app = await _in_app(connection, producer, router.pid)
    await producer.send_and_wait("system.notification", _announcement("default", ["in-app", "email"]))
    first = await _until(connection, _PLANNED, 1)
    process, began, used = psutil.Process(router.pid), time.monotonic(), cpu_seconds(router.pid)
    before = peak = process.memory_info().rss
    for _ in range(NEIGHBOURS):
        await producer.send_and_wait("system.notification", _announcement("other", ["in-app"]))
        await asyncio.sleep(SECONDS / NEIGHBOURS)
        peak = max(peak, process.memory_info().rss)
    decided = await connection.fetchval(_PLANNED) - first
    seconds, used = time.monotonic() - began, cpu_seconds(router.pid) - used
    await _until(connection, _WRITTEN, NEIGHBOURS, "other")
    more = {
        "people decided": decided,
        "people a second": decided / seconds,
        "memory added, MB": (peak - before) / 1e6,
        "another tenant's p99, ms": float(await connection.fetchval(_LATE)),
        "the same in-app alone, CPU ms of the router": in_app * 1e3,
    }
    return Result("groups", decided / used, "people/CPU-s", used, {}, GOAL, more)


async def _in_app(connection: asyncpg.Connection, producer: AIOKafkaProducer, pid: int) -> float:
    await producer.send_and_wait("system.notification", _announcement("default", ["in-app"]))
    await _until(connection, _WRITTEN, 1, "default")
    used = cpu_seconds(pid)
    await producer.send_and_wait("system.notification", _announcement("default", ["in-app"]))
    await _until(connection, _WRITTEN, 2, "default")
    return cpu_seconds(pid) - used


def _announcement(tenant: str, channels: list[str]) -> bytes:
    now = iso(utc_now())
    return orjson.dumps(
        {
            "id": str(uuid4()),
            "tenant": tenant,
            "event": "system.notification",
            "type": "system.notification",
            "title": "Maintenance",
            "message": "The system will be away on Sunday.",
            "metadata": {"timestamp": now, "orgId": "o"},
            "channels": channels,
            "acceptedAt": now,
            "source": {"topic": "noti", "partition": 0, "offset": 0},
        }
    )


async def _until(connection: asyncpg.Connection, statement: str, count: int, *arguments: str) -> int:
    while (done := await connection.fetchval(statement, *arguments)) < count:  # noqa: ASYNC110 - another process works
        await asyncio.sleep(0.02)
    return int(done)
