"""Faust's Kafka transport, with what the router needs otherwise.

- A message is handed to its queue directly. Faust makes two tasks for each, so that it can stop waiting when the flow
  is suspended; that is kept for when there is something to wait for: a full queue, or a flow that is suspended.
- A commit that fails because the broker is away is tried again with the next one. Faust ends the application.
- The client works on the same loop. Faust gives it a thread: at a few hundred events a second, handing the interpreter
  to and fro costs more than the work, and an event waits for it twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from mode import Service
from mode.utils.futures import maybe_async

from libs.runtime.logging import get_logger

COMMIT_TIMEOUT = 5.0

_log = get_logger(__name__)


class _Client(driver.AIOKafkaConsumerThread):
    """What Faust runs in a thread of its own, on the loop of everything else."""

    logger = logging.getLogger("faust.transport")
    wait_for_shutdown = False

    start, maybe_start, stop, crash = Service.start, Service.maybe_start, Service.stop, Service.crash
    set_shutdown, _stopped_set = Service.set_shutdown, Service._stopped_set  # noqa: SLF001 - undoes a subclass
    _stop_children, _stop_futures = Service._stop_children, Service._stop_futures  # noqa: SLF001 - as above
    _stop_exit_stacks = Service._stop_exit_stacks  # noqa: SLF001 - as above

    def __init__(self, consumer: Any, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, **options)
        self._uncommitted: dict[Any, int] = {}

    async def on_stop(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return await maybe_async(fun(*args, **options))

    async def _commit(self, offsets: Mapping[Any, int]) -> bool:
        assigned = self.assignment()
        wanted = {tp: offset for tp, offset in (self._uncommitted | dict(offsets)).items() if tp in assigned}
        self._uncommitted = {}
        if not wanted:
            return False
        positions = {TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(at, "") for tp, at in wanted.items()}
        try:
            await asyncio.wait_for(self._ensure_consumer().commit(positions), COMMIT_TIMEOUT)
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions are another's by now; the database knows what was done.
            _log.info("commit_after_rebalance", errors=[type(error).__name__])
            return False
        except (KafkaError, OSError, TimeoutError) as error:
            self._uncommitted = wanted
            _log.warning("commit_postponed", errors=[type(error).__name__])
            return False
        return True


class Consumer(driver.Consumer):
    """Faust's consumer, delivering directly while nothing has to wait."""

    logger = logging.getLogger("faust.transport")

    def _new_consumer_thread(self) -> _Client:
        return _Client(self, self.loop, beacon=self.beacon)

    async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:
        # Called for each message with its delivery and the wait for a suspended flow, and for nothing else.
        if self.suspend_flow.is_set() or self.app.buffer_full():
            return await super().wait_first(*coros, timeout=timeout)
        deliver, suspended = coros
        suspended.close()
        await deliver
        return None


class Transport(driver.Transport):
    """Makes consumers of the kind above, for a services.router.entrypoints.faust_app.RouterApp."""

    Consumer = Consumer
