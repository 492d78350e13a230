"""Ingest within the test's process, and the test's side of its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from devstack.layout import DEVELOPMENT_SECRET
from devstack.ports import free_port
from libs.auth.tokens import issue
from libs.runtime.clock import utc_now
from services.ingest.app import run
from services.ingest.settings import IngestSettings

T = TypeVar("T")
DEADLINE = 30.0

_COUNTED = """
select coalesce(sum(accepted), 0)::int, coalesce(sum(dead), 0)::int, coalesce(sum(gaps), 0)::int,
       coalesce(bool_and(next_offset - start_offset = accepted + duplicates + dead + gaps), true)
from progress where consumer = 'ingest'
"""


async def until(look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], seconds: float = DEADLINE) -> T:
    """What `look` finds as soon as it is wanted; raises AssertionError with the last finding when time is up."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        found = await look()
        if wanted(found):
            return found
        assert loop.time() < end, f"still {found}"
        await asyncio.sleep(0.02)


def bearer(**claims: Any) -> dict[str, str]:
    """Headers of an administrator, unless the claims say otherwise."""
    claims = {"sub": "operator", "roles": ["admin"]} | claims
    token = issue(claims, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(hours=1))
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class System:
    """The broker and the database as the test sees them."""

    bootstrap: str
    prefix: str
    dsn: str
    db: asyncpg.Connection
    producer: AIOKafkaProducer

    async def publish(self, value: Any, topic: str = "noti", **record: Any) -> tuple[int, int]:
        """Produces bytes, None or JSON; returns (partition, offset)."""
        content = value if isinstance(value, bytes | None) else orjson.dumps(value)
        sent = await self.producer.send_and_wait(self.prefix + topic, content, **record)
        return sent.partition, sent.offset

    async def records(self, topic: str, count: int) -> list[ConsumerRecord]:
        """All records of a topic, from its beginning, as soon as there are `count`."""
        consumer = AIOKafkaConsumer(
            self.prefix + topic,
            bootstrap_servers=self.bootstrap,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 * 1024 * 1024,
        )
        found: list[ConsumerRecord] = []
        async with consumer, asyncio.timeout(DEADLINE):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found

    async def counted(self) -> tuple[int, int, int, bool]:
        """(accepted, dead, gaps, whether they add up) over all partitions."""
        (row,) = await self.db.fetch(_COUNTED)
        return row[0], row[1], row[2], row[3]

    async def accounted(self, accepted: int, dead: int = 0) -> None:
        """Waits until so many are counted, and checks that the counts add up."""
        found = await until(self.counted, lambda f: f[0] + f[1] >= accepted + dead)
        assert (found[0], found[1], found[3]) == (accepted, dead, True)


@asynccontextmanager
async def observing(bootstrap: str, prefix: str, dsn: str) -> AsyncIterator[System]:
    """The test's side."""
    db = await asyncpg.connect(dsn)
    try:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=4 * 1024 * 1024) as producer:
            yield System(bootstrap, prefix, dsn, db, producer)
    finally:
        await db.close()


@asynccontextmanager
async def ingesting(system: System, **overrides: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A running ingest that is ready; the client speaks as an administrator."""
    settings = IngestSettings(
        environment="development",
        kafka_bootstrap=system.bootstrap,
        kafka_topic_prefix=system.prefix,
        postgres_dsn=system.dsn,
        http_port=free_port(),
        jwt_secret=DEVELOPMENT_SECRET,
        **overrides,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, stop))
    base = f"http://127.0.0.1:{settings.http_port}"
    try:
        async with httpx.AsyncClient(base_url=base, headers=bearer(), timeout=15) as client:
            await until(lambda: _ready(client, task), lambda ready: ready)
            yield client
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE):
            await task


async def _ready(client: httpx.AsyncClient, task: asyncio.Task[None]) -> bool:
    if task.done():
        task.result()
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
