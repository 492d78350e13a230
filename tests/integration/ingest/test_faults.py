"""A real ingest process while its neighbours, or it itself, go away and come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import orjson
import pytest

from devstack.layout import Layout
from devstack.processes import ServiceProcess
from devstack.stack import Stack
from libs.schemas.records import AcceptedEvent
from tests.integration.ingest.system import System, bearer, observing, until
from tests.unit.schemas.examples import example

pytestmark = [pytest.mark.chaos, pytest.mark.covers("F0-1", "F0-3", "B1", "B7")]

EVENTS = "/api/v1/events"
ANSWERED_WITHIN = 8.0  # seconds: the publish time-out of three, and a busy machine
STOPPED_WITHIN = 20.0  # seconds that a graceful stop may take
COUNT = 4_000

StartStack = Callable[[Layout], Stack]


@pytest.fixture
async def stack(start_stack: StartStack) -> Stack:
    """A broker and a database of the test's own, with one ingest."""
    return await asyncio.to_thread(start_stack, Layout(counts={"ingest": 1}))


@pytest.fixture
def ingest(stack: Stack) -> ServiceProcess:
    return stack.services["ingest-1"]


@pytest.fixture
async def http(ingest: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=ingest.url, headers=bearer(), timeout=30) as client:
        yield client


@asynccontextmanager
async def looking(stack: Stack) -> AsyncIterator[System]:
    async with observing(stack.kafka.bootstrap, "", stack.neighbours.postgres_dsn) as system:
        yield system


async def publish(system: System, first: int, last: int, pause: float = 0.0) -> None:
    """Events numbered from `first` to before `last`, slowly enough that something can happen in between."""
    for number in range(first, last):
        await system.producer.send("noti", orjson.dumps(example("service.event", data={"n": number})))
        if pause and number % 50 == 0:
            await asyncio.sleep(pause)
    await system.producer.flush()


async def arrived(system: System, count: int) -> None:
    """Every number is on the typed topic, and every repeat of it has the same id."""
    numbers: dict[int, set[object]] = {}
    while len(numbers) < count:
        for record in await system.records("service.event", count):
            event = AcceptedEvent.model_validate_json(record.value)
            numbers.setdefault((event.data or {})["n"], set()).add(event.id)
    assert sorted(numbers) == list(range(count))
    assert {len(ids) for ids in numbers.values()} == {1}


async def test_killed_and_stopped_in_the_middle_of_a_stream(stack: Stack, ingest: ServiceProcess) -> None:
    async with looking(stack) as system:
        streaming = asyncio.create_task(publish(system, 0, COUNT, pause=0.05))
        for end, share in ((ingest.kill, 0.1), (ingest.stop, 0.4), (ingest.kill, 0.6)):
            await until(system.counted, lambda found, share=share: found[0] > COUNT * share)  # type: ignore[misc]
            await asyncio.to_thread(end)
            await asyncio.to_thread(ingest.start)
        await streaming
        await system.accounted(COUNT)
        await arrived(system, COUNT)


async def test_kafka_away(stack: Stack, ingest: ServiceProcess, http: httpx.AsyncClient) -> None:
    async with looking(stack) as system:
        await publish(system, 0, 100)
        await system.accounted(100)
    assert (await http.post(EVENTS, json=example("service.alert"))).status_code == 202
    await asyncio.to_thread(stack.kafka.kill)
    for _ in range(3):
        began = time.monotonic()
        refused = await http.post(EVENTS, json=example("service.alert"))
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert time.monotonic() - began < ANSWERED_WITHIN
    assert (await http.get("/readyz")).status_code == 503
    assert (await http.get("/healthz")).status_code == 200
    await asyncio.to_thread(stack.kafka.start)
    await until(lambda: http.post(EVENTS, json=example("service.alert")), lambda answer: answer.status_code == 202, 60)
    await until(lambda: http.get("/readyz"), lambda answer: answer.status_code == 200, 60)
    async with looking(stack) as system:
        await publish(system, 100, 200)
        await system.accounted(200)
        await arrived(system, 200)


async def test_stopped_while_kafka_is_away(stack: Stack, ingest: ServiceProcess) -> None:
    await asyncio.to_thread(stack.kafka.kill)
    began = time.monotonic()
    await asyncio.to_thread(ingest.stop)
    assert time.monotonic() - began < STOPPED_WITHIN


async def test_postgres_away(stack: Stack, ingest: ServiceProcess, http: httpx.AsyncClient) -> None:
    async with looking(stack) as system:
        await publish(system, 0, 100)
        await system.accounted(100)
        await asyncio.to_thread(stack.postgres.kill)
        await publish(system, 100, 200)
        assert len(await system.records("service.event", 200)) >= 200  # events need no database
    # Nor do a caller's, as long as nothing has to be remembered for them.
    assert (await http.post(EVENTS, json=example("service.alert"))).status_code == 202
    keyed = await http.post(EVENTS, json=example("service.alert"), headers={"Idempotency-Key": "k"})
    assert (keyed.status_code, keyed.json()["code"]) == (503, "unavailable")
    assert (await http.put("/api/v1/directory/users/ada", json={})).status_code == 503
    assert (await http.get("/readyz")).status_code == 503
    health = await until(lambda: http.get("/healthz"), lambda answer: "noti" in answer.json().get("holding", ()))
    assert health.status_code == 200
    await asyncio.to_thread(stack.postgres.start)
    await until(lambda: http.get("/readyz"), lambda answer: answer.status_code == 200)
    async with looking(stack) as system:
        await system.accounted(200)
    assert (await http.put("/api/v1/directory/users/ada", json={})).status_code == 200


async def test_stopped_while_postgres_is_away(stack: Stack, ingest: ServiceProcess) -> None:
    async with looking(stack) as system:
        await asyncio.to_thread(stack.postgres.kill)
        await publish(system, 0, 300)
        await system.records("service.event", 300)
        began = time.monotonic()
        await asyncio.to_thread(ingest.stop)
        assert time.monotonic() - began < STOPPED_WITHIN
    await asyncio.to_thread(stack.postgres.start)
    await asyncio.to_thread(ingest.start)
    async with looking(stack) as system:
        await system.accounted(300)
        await arrived(system, 300)


async def test_started_before_its_neighbours(stack: Stack, ingest: ServiceProcess, http: httpx.AsyncClient) -> None:
    await asyncio.to_thread(ingest.stop)
    await asyncio.to_thread(stack.kafka.kill)
    await asyncio.to_thread(stack.postgres.kill)
    ingest.spawn()
    await until(lambda: status(http, "/healthz"), lambda found: found == 200)
    assert await status(http, "/readyz") == 503
    await asyncio.to_thread(stack.postgres.start)
    await asyncio.to_thread(stack.kafka.start)
    await until(lambda: status(http, "/readyz"), lambda found: found == 200, 60)


async def status(http: httpx.AsyncClient, path: str) -> int:
    """0 while nobody listens."""
    try:
        return (await http.get(path)).status_code
    except httpx.TransportError:
        return 0
