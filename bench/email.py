"""Emails per CPU-second of a real delivery worker, from planned in the ledger to sent, to a local SMTP sink.

Beside it a bare aiosmtplib loop that hands ready-made messages of like size to the same sink: no ledger, no Kafka, no
rendering. The sink is aiosmtpd in a process of its own.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.result import Result, cpu_seconds
from devstack.layout import Layout
from devstack.ports import free_port, is_free
from devstack.smtp_peer import smtp_environment
from devstack.stack import Stack
from libs.schemas.records import DeliveryBatch, DeliveryReference

COUNT, CONNECTIONS, NAMED_AT_ONCE = 4_000, 16, 100
GOAL_SHARE = 0.6

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
select tenant, gen_random_uuid(), id, 'u' || (metadata ->> 'n'), 'email', 'planned', 'planned',
       clock_timestamp() + interval '1 hour', traceparent
from notifications where (metadata ->> 'n')::int between $1 and $2
returning id
"""


_SENT = "select count(*) from deliveries where state = 'sent'"
_PLAIN = "The monthly report number {n} is ready for you. It covers sales, returns and the warehouse."
_MARKDOWN = (
    "The **monthly report** number {n} is ready.\n\nIt covers sales and the [warehouse](https://example.test/{n})."
)


async def measure() -> list[Result]:
    """A figure for plain messages, each of its own, and one for messages in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        async with _sink() as port:
            environment = smtp_environment(port) | {
                "CARILLON_DELIVERY_CONCURRENCY": str(CONNECTIONS),
                "CARILLON_ENVIRONMENT": "production",
            }
            stack = Stack(Path(folder), Layout(counts={"delivery": 1}, environment=environment))
            await asyncio.to_thread(stack.start)
            try:
                bare = await _bare(port)
                await _worker(stack, 1, 300, _PLAIN)  # first connections and statements are not what a mail costs
                plain = await _worker(stack, 301, 300 + COUNT, _PLAIN)
                markdown = await _worker(stack, 301 + COUNT, 300 + 2 * COUNT, _MARKDOWN)
            finally:
                await asyncio.to_thread(stack.stop)
    return [_result("email", plain, bare), _result("email in Markdown", markdown, bare)]


def _result(name: str, took: tuple[float, float], bare: float) -> Result:
    cpu, seconds = took
    beside, more = {"bare aiosmtplib loop": bare}, {"per second": COUNT / seconds}
    return Result(name, COUNT / cpu, "emails/CPU-s", cpu, beside, round(GOAL_SHARE * bare), more)


async def _worker(stack: Stack, first: int, last: int, message: str) -> tuple[float, float]:
    """CPU seconds of the worker and seconds on the clock."""
    pid = stack.services["delivery-1"].pid
    assert pid is not None
    connection = await asyncpg.connect(stack.services.neighbours.postgres_dsn)
    try:
        cpu, started = cpu_seconds(pid), time.monotonic()
        await _deliver(stack, connection, first, last, message)
        return cpu_seconds(pid) - cpu, time.monotonic() - started
    finally:
        await connection.close()


async def _deliver(stack: Stack, connection: asyncpg.Connection, first: int, last: int, message: str) -> None:
    await connection.execute(_USERS, first, last)
    await connection.execute(_NOTIFICATIONS, first, last, message)
    ids: list[UUID] = [row["id"] for row in await connection.fetch(_DELIVERIES, first, last)]
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap) as producer:
        for start in range(0, len(ids), NAMED_AT_ONCE):
            part = tuple(DeliveryReference(tenant="default", id=id_) for id_ in ids[start : start + NAMED_AT_ONCE])
            batch = DeliveryBatch(channel="email", deliveries=part)
            await producer.send("delivery.email", batch.model_dump_json(by_alias=True).encode(), key=part[0].id.bytes)
    async with asyncio.timeout(120):
        while await connection.fetchval(_SENT) < last:  # noqa: ASYNC110 - another process has no event of ours
            await asyncio.sleep(0.1)


async def _bare(port: int) -> float:
    arguments = ["-m", "bench.email_bare", str(port), str(COUNT), str(CONNECTIONS)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return COUNT / float(output)


@asynccontextmanager
async def _sink() -> AsyncIterator[int]:
    """An SMTP server that throws away what it takes; its port."""
    port = free_port()
    arguments = ["-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        async with asyncio.timeout(20):
            while is_free(port):  # noqa: ASYNC110 - another process has no event of ours
                await asyncio.sleep(0.05)
        yield port
    finally:
        process.terminate()
        await process.wait()
