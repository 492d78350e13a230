"""Unread count and first page of a person with 10,000 unread notifications in a log of 1,000,000 rows.

Beside them a bare round trip: the same pool, a transaction with its settings, and `select 1`.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from bench.result import Result, cpu_seconds
from devstack.layout import DEVELOPMENT_SEALING_KEY
from devstack.postgres import EmbeddedPostgres
from libs.postgres.migrations import migrate
from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from libs.sealing.masters import Masters
from libs.sealing.vault import Vault
from services.gateway import metrics
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.inbox import PostgresInbox
from services.gateway.domain.inbox import Filters, Reader

UNREAD, ROWS, TIMES = 10_000, 1_000_000, 200
GOAL_MS = 5.0
PERSON = "bench-1"
WHO = Reader("default", PERSON, (f"user:{PERSON}",), ("org:bench", "tenant", "broadcast"))

# A hundred people with 9,800 rows each in their own rooms, written in turns as they would come, and an organisation
# with 20,000; the person has read all but the newest 9,000 of their own and 1,000 of the organisation's, five hundred
# one by one.
_FILL = """
insert into notifications (tenant, id, event, type, title, message, severity, metadata, data, extras, audience, rooms,
  catalogue_version, decisions_planned, source, accepted_at, planned_at)
select 'default', md5(n::text)::uuid, 'system.notification', 'system.notification', 'Title ' || n, repeat('m', 80),
  'normal', '{"timestamp": "2025-10-17T10:00:00Z"}', '{"n": 1}', '{}', '{}', array[room], '1', 0, '{}', at, at
from filling;
insert into room_log (tenant, room, seq, type, at, notification)
select 'default', room, seq, 'system.notification', at, md5(n::text)::uuid from filling order by n;
insert into room_heads (tenant, room, seq, at) select 'default', room, max(seq), max(at) from filling group by room;
insert into memberships (tenant, user_id, room, joined_at, joined_seq, source)
  values ('default', 'bench-1', 'org:bench', now(), 0, 'directory'),
         ('default', 'bench-1', 'tenant', now(), 0, 'claim');
insert into room_watermarks (tenant, user_id, room, read_seq, read_at)
  select 'default', 'bench-1', room, seq - case when room = 'org:bench' then 1000 else 9500 end, now()
  from room_heads where room in ('org:bench', 'user:bench-1');
insert into receipts (tenant, user_id, notification, room, seq, read, read_at)
  select 'default', 'bench-1', notification, room, seq, true, now()
  from room_log where room = 'user:bench-1' order by seq desc limit 500;
vacuum analyze;
"""
_FILLING = f"""
create unlogged table filling as
select n, timestamptz '2025-10-17' + n * interval '1 ms' as at,
  case when n % 50 = 0 then 'org:bench' else 'user:bench-' || n % 100 end as room,
  row_number() over (partition by case when n % 50 = 0 then 'org:bench' else 'user:bench-' || n % 100 end order by n)
    as seq
from generate_series(1, {ROWS}) n
"""


async def measure() -> list[Result]:
    """Medians in milliseconds, one call at a time."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), durable=False)
        await asyncio.to_thread(server.start)
        try:
            return await _measured(server)
        finally:
            await asyncio.to_thread(server.stop)


async def _measured(server: EmbeddedPostgres) -> list[Result]:
    dsn = server.create_database("bench")
    await migrate(dsn)
    await _fill(dsn)
    pool = await create_pool(dsn, "carillon_gateway", min_size=1, max_size=1)
    database = Database(pool)
    inbox = PostgresInbox(database, Vault(Masters(DEVELOPMENT_SEALING_KEY), metrics.UNSEALABLE))

    async def nothing() -> None:
        async with database.as_reader(WHO.tenant, WHO.reader) as connection:
            await connection.fetchval("select 1")

    async def page() -> int:
        return len(await inbox.page(WHO, Filters(), 20, 0, None, utc_now()))

    try:
        assert await inbox.unread_count(WHO, utc_now()) == UNREAD
        assert await page() == 21
        bare, _ = await _median(nothing, server)
        count, count_cpu = await _median(lambda: inbox.unread_count(WHO, utc_now()), server)
        first, first_cpu = await _median(page, server)
    finally:
        pool.terminate()
    beside = {"bare round trip": bare}
    facts = {"unread": float(UNREAD), "rows": float(ROWS)}
    return [
        Result("inbox unread count", count, "ms", count_cpu, beside, GOAL_MS, facts),
        Result("inbox first page of 20", first, "ms", first_cpu, beside, GOAL_MS, facts),
    ]


async def _fill(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_FILLING)
        for statement in _FILL.split(";\n"):
            if statement.strip():
                await connection.execute(statement)
    finally:
        await connection.close()


async def _median(call: Callable[[], Awaitable[object]], server: EmbeddedPostgres) -> tuple[float, float]:
    """(median in ms, CPU seconds of PostgreSQL for all calls)."""
    for _ in range(10):
        await call()
    assert server.pid is not None
    began_cpu, times = cpu_seconds(server.pid), []
    for _ in range(TIMES):
        began = time.perf_counter()
        await call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), cpu_seconds(server.pid) - began_cpu
