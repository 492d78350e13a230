"""The router while PostgreSQL or Kafka are away: it holds its work, is alive, loses nothing, and stops when told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import asyncpg
import pytest

from devstack.layout import Layout
from devstack.stack import Stack
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent
from tests.integration.router.system import System, observing
from tests.integration.router.test_service import get
from tests.unit.router.events import accepted

pytestmark = pytest.mark.covers("F0-4")

# Shorter than the outages below: a router that does not report that it holds would be found dead.
QUICK = {"CARILLON_ROUTER_STALL_LIMIT": "4", "CARILLON_SHUTDOWN_TIMEOUT": "10"}


@pytest.fixture
def stack(start_stack: Callable[[Layout], Stack]) -> Stack:
    """A router with a broker and a database of its own."""
    return start_stack(Layout(counts={"router": 1}, environment=QUICK))


@pytest.fixture
async def system(stack: Stack) -> AsyncIterator[System]:
    """The test's side of them."""
    async with observing(stack.kafka.bootstrap, "", stack.neighbours.postgres_dsn) as system:
        yield system


def some(count: int = 20) -> list[AcceptedEvent]:
    return [accepted(name="a.b.c", recipients=Recipients(user_ids=("ada", f"u{n}"))) for n in range(count)]


async def again(stack: Stack, system: System) -> None:
    """PostgreSQL comes back, and the test's own connection with it."""
    await asyncio.to_thread(stack.postgres.start)
    system.sql.terminate()
    system.sql = await asyncpg.connect(system.dsn)


async def held(stack: Stack, system: System) -> None:
    """The router says that it holds its work."""

    async def holding() -> bool:
        status, body = await asyncio.to_thread(get, f"{stack.services.url('router')}/healthz")
        assert status == 200, body
        return b"holding" in body

    await system.until(holding)


async def test_postgres_away_for_longer_than_the_stall_limit(stack: Stack, system: System) -> None:
    before, during, after = some(), some(), some()
    await system.publish(*before)
    await system.rows(20, "select from notifications")
    await asyncio.to_thread(stack.postgres.kill)
    await system.publish(*during)
    await held(stack, system)
    began = time.monotonic()
    while time.monotonic() - began < 8:
        assert (await asyncio.to_thread(get, f"{stack.services.url('router')}/healthz"))[0] == 200
        assert (await asyncio.to_thread(get, f"{stack.services.url('router')}/readyz"))[0] == 503
        await asyncio.sleep(0.2)
    await again(stack, system)
    await system.publish(*after)
    await system.rows(60, "select from notifications")
    assert await system.log("user:ada") == [event.id for event in (*before, *during, *after)]
    await system.adds_up()


async def test_sigterm_while_postgres_is_away(stack: Stack, system: System) -> None:
    """Nothing is acknowledged, and the process ends at once instead of when the database is back."""
    router = stack.services["router-1"]
    await asyncio.to_thread(stack.postgres.stop)
    events = some(40)
    await system.publish(*events)
    await held(stack, system)
    began = time.monotonic()
    assert await asyncio.to_thread(router.stop) == 0
    assert time.monotonic() - began < 8
    await again(stack, system)
    await asyncio.to_thread(router.start)
    await system.rows(40, "select from notifications")
    assert await system.log("user:ada") == [event.id for event in events]
    assert await system.counted() == {"accepted": 40, "duplicates": 0, "dead": 0, "gaps": 0}
    await system.adds_up()


async def test_kafka_away_for_longer_than_the_session(stack: Stack, system: System) -> None:
    before, after = some(), some()
    await system.publish(*before)
    await system.rows(20, "select from notifications")
    await asyncio.to_thread(stack.kafka.kill)
    await held(stack, system)
    began = time.monotonic()
    while time.monotonic() - began < 15:
        assert (await asyncio.to_thread(get, f"{stack.services.url('router')}/healthz"))[0] == 200
        await asyncio.sleep(0.2)
    await asyncio.to_thread(stack.kafka.start)
    await system.publish(*after)
    await system.rows(40, "select from notifications")
    assert await system.log("user:ada") == [event.id for event in (*before, *after)]
    await system.adds_up()


async def test_sigterm_while_kafka_is_away(stack: Stack, system: System) -> None:
    await system.listen(0, "user:ada")
    await system.publish(*some())
    await asyncio.to_thread(stack.kafka.kill)  # while the batch is on its way
    await held(stack, system)
    began = time.monotonic()
    assert await asyncio.to_thread(stack.services["router-1"].stop) == 0
    assert time.monotonic() - began < 12
    await asyncio.to_thread(stack.kafka.start)
    await asyncio.to_thread(stack.services["router-1"].start)
    await system.publish(*some())
    await system.rows(40, "select from notifications")
    await system.adds_up()


async def test_start_while_nobody_is_there(stack: Stack, system: System) -> None:
    """The router waits for both, alive and not ready, and then begins."""
    router = stack.services["router-1"]
    await asyncio.to_thread(router.stop)
    await asyncio.to_thread(stack.postgres.stop)
    await asyncio.to_thread(stack.kafka.kill)
    router.spawn()

    async def waiting() -> bool:
        with suppress(OSError):
            status, _ = await asyncio.to_thread(get, f"{router.url}/readyz")
            return status == 503
        return False

    await system.until(waiting)
    assert (await asyncio.to_thread(get, f"{router.url}/healthz"))[0] == 200
    await asyncio.to_thread(stack.kafka.start)
    await again(stack, system)
    await asyncio.to_thread(router.wait_ready)
    await system.publish(*some())
    await system.rows(20, "select from notifications")
