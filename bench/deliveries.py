"""Deliveries planned in bulk, what a worker took to send them, and what stands beside it: sinks and bare loops."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.result import cpu_seconds
from devstack.ports import is_free
from devstack.stack import Stack
from libs.schemas.events import Channel
from libs.schemas.records import DeliveryBatch, DeliveryReference

NAMED_AT_ONCE = 100

_USERS = """
insert into users (tenant, user_id, email, display_name)
select 'default', 'u' || n, 'u' || n || '@example.test', 'Person ' || n from generate_series($1::int, $2::int) n
"""
_NOTIFICATIONS = """
insert into notifications (tenant, id, event, type, title, message, metadata, severity, data, audience, rooms,
                           catalogue_version, decisions_planned, traceparent, source, accepted_at, planned_at)
select 'default', gen_random_uuid(), 'system.notification', 'system.notification', 'Your report ' || n || ' is ready',
       replace($3, '{n}', n::text),
       jsonb_build_object('n', n), 'normal', '{"ctaUrl": "https://example.test/reports"}', '{}', '{}', '1', 1,
       '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '{}', clock_timestamp(), clock_timestamp()
from generate_series($1::int, $2::int) n
"""
_DELIVERIES = """
insert into deliveries (tenant, id, notification, user_id, channel, state, reason, next_attempt_at, traceparent)
select tenant, gen_random_uuid(), id, coalesce($4, 'u' || (metadata ->> 'n')), $3, 'planned', 'planned',
       clock_timestamp() + interval '1 hour', traceparent
from notifications where (metadata ->> 'n')::int between $1 and $2
returning id
"""
_SENT = "select count(*) from deliveries where state = 'sent'"


async def worked(
    stack: Stack, first: int, last: int, message: str, channel: Channel = "email", recipient: str | None = None
) -> tuple[float, float]:
    """CPU seconds of the worker and seconds on the clock; one to everybody, or all to `recipient`."""
    pid = stack.services["delivery-1"].pid
    assert pid is not None
    connection = await asyncpg.connect(stack.services.neighbours.postgres_dsn)
    try:
        cpu, started = cpu_seconds(pid), time.monotonic()
        ids = await _plan(connection, first, last, message, channel, recipient)
        await _name(stack.kafka.bootstrap, channel, ids)
        await _sent(connection, last)
        return cpu_seconds(pid) - cpu, time.monotonic() - started
    finally:
        await connection.close()


async def _plan(
    connection: asyncpg.Connection, first: int, last: int, message: str, channel: Channel, recipient: str | None
) -> list[UUID]:
    await connection.execute(_USERS, first, last)
    await connection.execute(_NOTIFICATIONS, first, last, message)
    return [row["id"] for row in await connection.fetch(_DELIVERIES, first, last, channel, recipient)]


async def _name(bootstrap: str, channel: Channel, ids: list[UUID]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for start in range(0, len(ids), NAMED_AT_ONCE):
            part = tuple(DeliveryReference(tenant="default", id=id_) for id_ in ids[start : start + NAMED_AT_ONCE])
            batch = DeliveryBatch(channel=channel, deliveries=part)
            value = batch.model_dump_json(by_alias=True).encode()
            await producer.send(f"delivery.{channel}", value, key=part[0].id.bytes)


async def _sent(connection: asyncpg.Connection, count: int) -> None:
    async with asyncio.timeout(120):
        while await connection.fetchval(_SENT) < count:  # noqa: ASYNC110 - another process has no event of ours
            await asyncio.sleep(0.1)


async def bare(program: str, port: int, count: int, connections: int) -> float:
    """How many a CPU-second the loop without a platform does."""
    arguments = ["-m", f"bench.{program}", str(port), str(count), str(connections)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return count / float(output)


@asynccontextmanager
async def sink(port: int, *arguments: str) -> AsyncIterator[None]:
    """A server in a process of its own, `python` with these arguments, which listens on this port."""
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        async with asyncio.timeout(20):
            while is_free(port):  # noqa: ASYNC110 - another process has no event of ours
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()
