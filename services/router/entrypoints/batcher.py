"""The agent: takes what is queued as one batch, has it dealt with, and only then acknowledges it.

When there is little to do a batch is what has just come; when the queue grows, so do the batches. The stream is never
iterated and never asked to `take`: both acknowledge what a cancelled agent was still working on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from libs.runtime.logging import get_logger
from services.router.domain.incoming import Record
from services.router.entrypoints.buffer import BoundedBuffer, size
from services.router.errors import GivenBack

_log = get_logger(__name__)


Handle = Callable[[Sequence[Record]], Awaitable[None]]  # deals with a batch; raises GivenBack when it cannot


class Batcher:
    """One batch at a time, of at most `max_records` events and about `max_bytes`."""

    def __init__(self, handle: Handle, *, max_records: int, max_bytes: int) -> None:
        self._handle, self._max_records, self._max_bytes = handle, max_records, max_bytes
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, stream: Any) -> None:
        """The agent's function. A cancelled or failed batch stays unacknowledged."""
        queue: BoundedBuffer = stream.channel.queue
        while True:
            try:
                batch = self._with_queued(await queue.get(), queue)
            except StopAsyncIteration:  # how a stopped stream says so
                return
            if self._closing:
                return
            self._idle.clear()
            try:
                await self._handle([_record(event.message) for event in batch])
            except GivenBack:
                _log.info("batch_given_back", status=len(batch))
                return
            finally:
                self._idle.set()
            for event in batch:
                event.ack()
            queue.report()

    async def finish(self, timeout: float) -> None:
        """Begins no other batch, and waits for the one that is being dealt with."""
        self._closing = True
        try:
            await asyncio.wait_for(self._idle.wait(), timeout)
        except TimeoutError:
            _log.warning("batch_given_back", errors=[f"not done within {timeout:.0f} s"])

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
