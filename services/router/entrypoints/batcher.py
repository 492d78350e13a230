"""The agent: takes what is queued as one batch, has it written and handed on, and only then acknowledges it.

While a batch is handed on the next one is written already. When there is little to do a batch is what has just come;
when the queue grows, so do the batches. The stream is never iterated and never asked to `take`: both acknowledge what
a cancelled agent was still working on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from libs.runtime.logging import get_logger
from services.router.domain.handover import Handover
from services.router.domain.incoming import Record
from services.router.entrypoints.buffer import BoundedBuffer, size
from services.router.errors import GivenBack

_log = get_logger(__name__)


class Steps(Protocol):
    """What is done with a batch: services.router.handlers.batch.BatchHandler."""

    async def write(self, records: Sequence[Record]) -> Handover: ...

    async def hand_on(self, handover: Handover) -> None: ...


class Batcher:
    """Batches of at most `max_records` events and about `max_bytes`, each step one at a time and in order."""

    def __init__(self, steps: Steps, *, max_records: int, max_bytes: int) -> None:
        self._steps, self._max_records, self._max_bytes = steps, max_records, max_bytes
        self._closing = False
        self._begun = 0  # batches that are not acknowledged yet
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, stream: Any) -> None:
        """The agent's function. A cancelled or failed batch stays unacknowledged."""
        queue: BoundedBuffer = stream.channel.queue
        written: asyncio.Queue[tuple[list[Any], Handover] | None] = asyncio.Queue(1)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(queue, written))
                tasks.create_task(self._hand_on(queue, written))
        except* GivenBack:
            _log.info("batch_given_back", status=self._begun)
        finally:
            self._begun = 0
            self._idle.set()

    async def finish(self, timeout: float) -> None:
        """Begins no other batch, and waits for those that are being dealt with."""
        self._closing = True
        try:
            await asyncio.wait_for(self._idle.wait(), timeout)
        except TimeoutError:
            _log.warning("batch_given_back", errors=[f"not done within {timeout:.0f} s"])

    async def _write(self, queue: BoundedBuffer, written: asyncio.Queue[tuple[list[Any], Handover] | None]) -> None:
        while True:
            try:
                batch = self._with_queued(await queue.get(), queue)
            except StopAsyncIteration:  # how a stopped stream says so
                break
            if self._closing:
                break
            self._begun += 1
            self._idle.clear()
            handover = await self._steps.write([_record(event.message) for event in batch])
            await written.put((batch, handover))
        await written.put(None)

    async def _hand_on(self, queue: BoundedBuffer, written: asyncio.Queue[tuple[list[Any], Handover] | None]) -> None:
        while (item := await written.get()) is not None:
            batch, handover = item
            await self._steps.hand_on(handover)
            for event in batch:
                event.ack()
            queue.report()
            self._begun -= 1
            if self._begun == 0:
                self._idle.set()

    def _with_queued(self, first: Any, queue: BoundedBuffer) -> list[Any]:
        batch, gathered = [first], size(first)
        while len(batch) < self._max_records and gathered < self._max_bytes and not queue.empty():
            event = queue.get_nowait()
            gathered += size(event)
            batch.append(event)
        return batch


def _record(message: Any) -> Record:
    return Record(
        message.topic,
        message.partition,
        message.offset,
        message.key,
        message.value,
        message.headers or (),
        message.timestamp,
    )
