"""A limit for the router: an agent that only takes events and acknowledges them, on the router's own Faust transport.

`python -m bench.router_bare TOTAL` prints events and CPU seconds once it has seen TOTAL events.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

import uvloop

from libs.runtime.settings import load
from libs.schemas import topics
from services.router.domain.incoming import Record
from services.router.entrypoints.batcher import Batcher
from services.router.entrypoints.faust_app import create
from services.router.settings import Settings


class _Drain:
    """Takes batches and counts them."""

    def __init__(self, enough: int) -> None:
        self._enough, self.seen, self.began, self.done = enough, 0, 0.0, asyncio.Event()

    async def handle(self, records: Sequence[Record]) -> None:
        if self.began == 0.0:
            self.began = time.process_time()
        else:
            self.seen += len(records)
        await asyncio.sleep(0)  # as a step that waits for something: the consumer has its turn
        if self.seen >= self._enough:
            self.done.set()


async def measure(total: int) -> tuple[int, float]:
    """(events, CPU seconds) from the first batch to the last."""
    settings = load(Settings)
    drain = _Drain(total - settings.router_batch_records)
    batcher = Batcher(drain.handle, max_records=settings.router_batch_records, max_bytes=settings.router_batch_bytes)
    names = [settings.kafka_topic_prefix + name for name in topics.TYPED]
    ahead = settings.router_buffer_records
    app = create(settings, "bench-drain", names, batcher.run, lambda _partitions: None, ahead=ahead)
    await app.start()
    await drain.done.wait()
    used = time.process_time() - drain.began
    await batcher.finish(1)
    await app.stop()
    return drain.seen, used


if __name__ == "__main__":
    print(*uvloop.run(measure(int(sys.argv[1]))))
