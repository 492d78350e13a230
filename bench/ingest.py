"""Events per CPU-second of a real ingest process: from `noti` to the typed topics, and by HTTP in batches.

Beside the first a bare aiokafka loop that copies the same records, in a process of its own: no validation, no ids, no
ledger. Beside the second the limit that validation alone sets: reading the same JSON and validating each event.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaProducer

from bench.result import Result, cpu_seconds
from devstack.layout import DEVELOPMENT_SECRET, Layout
from devstack.stack import Stack
from libs.auth.tokens import issue
from libs.kafka.topics import ensure_topics
from libs.runtime.clock import utc_now
from libs.schemas.events import UPSTREAM_EVENT
from libs.schemas.topics import Topic

COUNT, BATCH, CLIENTS = 60_000, 500, 4
GOALS = {"noti": 15_000, "http": 10_000}
COPY = Topic("bench.copy", 8, "none")

_COUNTED = "select coalesce(sum(accepted), 0)::bigint from progress where consumer = 'ingest'"


async def measure() -> list[Result]:
    """A figure for each door."""
    layout = Layout(
        counts={"ingest": 1}, environment={"CARILLON_RATE_LIMIT": "0", "CARILLON_ENVIRONMENT": "production"}
    )
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), layout)
        await asyncio.to_thread(stack.start)
        try:
            await ensure_topics(stack.kafka.bootstrap, extra=(COPY,))
            return [await _noti(stack), await _http(stack)]
        finally:
            await asyncio.to_thread(stack.stop)


def event(number: int) -> dict[str, Any]:
    """A valid event of about 500 bytes; the four events take turns, each person has a few."""
    metadata = {
        "correlationId": f"request-{number:08d}",
        "orgId": f"org-{number % 50}",
        "userId": f"user-{number % 5_000}",
        "timestamp": "2025-10-17T11:00:00.000Z",
    }
    text = {"title": "The category was updated", "message": "Electronics now has a description. " * 3}
    match number % 4:
        case 0:
            return {"event": "system.notification", "data": text | {"severity": "high", "metadata": metadata} | _data()}
        case 1:
            return {"event": "service.alert", "data": text | {"severity": "critical", "metadata": metadata} | _data()}
        case 2:
            agent = {"name": "thinking", "metadata": metadata | {"agentId": f"agent-{number % 100}"}}
            return {"event": "agent.event", "data": text | agent | _data()}
        case _:
            named = {"name": "template.category.updated", "metadata": metadata}
            return {"event": "service.event", "data": named | _data(140)}


def _data(more: int = 0) -> dict[str, Any]:
    fields = {"_id": "cat-123-abc", "name": "Electronics", "isActive": True, "createdBy": "user-456", "count": 17}
    return {"data": fields | {"description": "x" * (20 + more)}}


async def _noti(stack: Stack) -> Result:
    values = [orjson.dumps(event(number)) for number in range(COUNT)]
    pid = stack.services["ingest-1"].pid
    assert pid is not None
    connection = await asyncpg.connect(stack.services.neighbours.postgres_dsn)
    try:
        warm = COUNT // 20  # the first connections, statements and cached keys are not what an event costs
        await _published(stack, values[:warm], lambda: _until_counted(connection, warm))
        cpu, started = 0.0, 0.0

        async def measured() -> None:
            nonlocal cpu, started
            before, began = cpu_seconds(pid), time.monotonic()
            await _until_counted(connection, warm + COUNT)
            cpu, started = cpu_seconds(pid) - before, time.monotonic() - began

        await _published(stack, values, measured)
    finally:
        await connection.close()
    bare = await _bare_copy(stack)
    more = {"per second": COUNT / started, "bytes an event": sum(map(len, values)) / COUNT}
    beside = {"bare aiokafka copy": COUNT / bare}
    return Result("ingest from noti", COUNT / cpu, "events/CPU-s", cpu, beside, GOALS["noti"], more)


async def _published(stack: Stack, values: list[bytes], then: Callable[[], Awaitable[None]]) -> None:
    """Shows all values to readers at once, by committing them together, and goes on from that moment."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka.bootstrap, transactional_id="bench", linger_ms=5, compression_type="lz4"
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        for value in values:
            await producer.send("noti", value)
        await producer.flush()
        waiting = asyncio.ensure_future(then())
        await producer.commit_transaction()
        await waiting
    finally:
        await producer.stop()


async def _until_counted(connection: asyncpg.Connection, count: int) -> None:
    async with asyncio.timeout(120):
        while await connection.fetchval(_COUNTED) < count:  # noqa: ASYNC110 - another process has no event of ours
            await asyncio.sleep(0.02)


async def _bare_copy(stack: Stack) -> float:
    """CPU seconds of copying the last COUNT records."""
    arguments = ["-m", "bench.ingest_bare", stack.kafka.bootstrap, COPY.name, str(COUNT)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return float(output)


async def _http(stack: Stack) -> Result:
    bodies = [orjson.dumps([event(n) for n in range(start, start + BATCH)]) for start in range(0, COUNT // 2, BATCH)]
    pid = stack.services["ingest-1"].pid
    assert pid is not None
    claims = {"sub": "bench", "roles": ["admin"]}
    token = issue(claims, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=stack.services.url("ingest"), headers=headers, timeout=30) as client:
        await _post(client, bodies[:4])
        before, began = cpu_seconds(pid), time.monotonic()
        await asyncio.gather(*(_post(client, bodies[first::CLIENTS]) for first in range(CLIENTS)))
        cpu, seconds = cpu_seconds(pid) - before, time.monotonic() - began
    count = len(bodies) * BATCH
    beside = {"reading and validating alone": count / _validation(bodies)}
    return Result(
        "ingest by HTTP", count / cpu, "events/CPU-s", cpu, beside, GOALS["http"], {"per second": count / seconds}
    )


async def _post(client: httpx.AsyncClient, bodies: list[bytes]) -> None:
    for body in bodies:
        answer = await client.post("/api/v1/events/batch", content=body)
        answer.raise_for_status()
        assert answer.json()["refused"] == 0


def _validation(bodies: list[bytes]) -> float:
    started = time.process_time()
    for body in bodies:
        for document in orjson.loads(body):
            UPSTREAM_EVENT.validate_python(document)
    return time.process_time() - started
