"""The batcher deals with one batch after the other, and acknowledges only what was dealt with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from mode.utils.queues import FlowControlEvent

from services.router.domain.incoming import Record
from services.router.entrypoints.batcher import Batcher
from services.router.entrypoints.buffer import BoundedBuffer
from services.router.errors import GivenBack

pytestmark = pytest.mark.covers("B1")


class Event:
    """An event of a stream, which notes that it was acknowledged."""

    def __init__(self, offset: int) -> None:
        self.message = SimpleNamespace(
            topic="t", partition=0, offset=offset, key=None, value=b"{}", headers=(), timestamp=0.0
        )
        self.acknowledged = False

    def ack(self) -> None:
        self.acknowledged = True


class Handler:
    """Ends a batch when the test lets it. `begun` are the first offsets of batches."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.may_end = asyncio.Semaphore(0)
        self.fault: Exception | None = None

    async def handle(self, records: Sequence[Record]) -> None:
        self.begun.append(records[0].offset)
        await self.may_end.acquire()
        if self.fault is not None:
            raise self.fault


class Bench:
    """A batcher of one record a batch, with events queued."""

    def __init__(self, events: int) -> None:
        self.events = [Event(n) for n in range(events)]
        self.queue = BoundedBuffer(flow_control=FlowControlEvent(), max_records=100, max_bytes=10_000)
        for event in self.events:
            self.queue.put_nowait(event)
        self.handler = Handler()
        self.batcher = Batcher(self.handler.handle, max_records=1, max_bytes=10_000)
        self.run = asyncio.create_task(self.batcher.run(SimpleNamespace(channel=SimpleNamespace(queue=self.queue))))

    def acknowledged(self) -> list[bool]:
        return [event.acknowledged for event in self.events]


async def until(what: Any) -> None:
    async with asyncio.timeout(5):
        while not what():
            await asyncio.sleep(0)


async def test_the_next_batch_is_not_begun_before_one_has_ended() -> None:
    bench = Bench(2)
    await until(lambda: bench.handler.begun == [0])
    for _ in range(50):
        await asyncio.sleep(0)
    assert bench.handler.begun == [0]
    assert bench.acknowledged() == [False, False]
    bench.run.cancel()


async def test_only_what_was_dealt_with_is_acknowledged() -> None:
    bench = Bench(3)
    bench.handler.may_end.release()
    await until(lambda: bench.events[0].acknowledged)
    assert bench.acknowledged() == [True, False, False]
    bench.run.cancel()


async def test_a_batch_that_is_given_back_ends_the_agent_and_acknowledges_nothing_behind_it() -> None:
    bench = Bench(3)
    bench.handler.fault = GivenBack()
    bench.handler.may_end.release()
    await asyncio.wait_for(bench.run, 5)
    assert bench.acknowledged() == [False, False, False]
    await bench.batcher.finish(5)


async def test_finishing_waits_for_the_batch_under_way() -> None:
    bench = Bench(2)
    await until(lambda: bench.handler.begun == [0])
    finishing = asyncio.create_task(bench.batcher.finish(5))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not finishing.done()
    bench.handler.may_end.release()
    await finishing
    await until(lambda: bench.events[0].acknowledged)
    assert bench.acknowledged() == [True, False]
    bench.run.cancel()
