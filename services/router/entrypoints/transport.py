"""Faust's Kafka transport, with what the router needs otherwise.

- A message is handed to its queue directly. Faust makes two tasks for each, so that it can stop waiting when the flow
  is suspended; that is kept for when there is something to wait for: a full queue, or a flow that is suspended.
- A commit that fails because the broker is away is tried again with the next one. Faust ends the application.
- The consumer's thread does not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from mode.threads import WorkerThread

from libs.runtime.logging import get_logger

COMMIT_TIMEOUT, THREAD_STOP_TIMEOUT = 5.0, 5.0

_log = get_logger(__name__)


class _Worker(WorkerThread):
    def __init__(self, service: Any, **options: Any) -> None:
        super().__init__(service, **options)
        self.daemon = True  # a broker that is away must not hold up the end of the process

    def stop(self) -> None:
        self.is_stopped.wait(THREAD_STOP_TIMEOUT)


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    Worker = _Worker
    logger = logging.getLogger("faust.transport")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._uncommitted: dict[Any, int] = {}

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

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

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
