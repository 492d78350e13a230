"""Consumes the compacted topic `directory` for as long as the process runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from libs.kafka.faults import is_passing
from libs.runtime.health import Progress
from libs.runtime.lifecycle import Stop, close_within, first
from libs.runtime.logging import get_logger
from services.ingest.errors import Retryable
from services.ingest.handlers.directory_records import DirectoryRecords

_log = get_logger(__name__)

_IDLE_SECONDS = 0.5
_MAX_BATCH = 500
_RETRY_AFTER = 2.0
_REVOKE_SECONDS = 5.0
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_CLOSE_SECONDS = 3.0


class DirectoryEntrypoint(ConsumerRebalanceListener):
    """Offsets are committed when PostgreSQL has the entries. A record may be applied twice: it says the whole truth."""

    def __init__(
        self, create_consumer: Callable[[], AIOKafkaConsumer], topic: str, records: DirectoryRecords, progress: Progress
    ) -> None:
        self._create_consumer, self._topic = create_consumer, topic
        self._records, self._progress = records, progress
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, stop: Stop) -> None:
        """Returns after `stop`."""
        while not stop.is_set():
            try:
                await first(self._session(stop), self._out_of_time(stop))
            except Exception as fault:
                if not is_passing(fault):
                    raise
                _log.warning("directory_held", errors=str(fault))
                self._progress.holding(str(fault))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _RETRY_AFTER)

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """Lets the batch under way end, so that it cannot overwrite what the next owner writes."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _REVOKE_SECONDS)

    async def on_partitions_assigned(self, _assigned: Iterable[TopicPartition]) -> None:
        """They are read from where the group left off."""

    async def _session(self, stop: Stop) -> None:
        consumer = self._create_consumer()
        consumer.subscribe([self._topic], listener=self)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await consumer.start()
            while not stop.is_set():
                await self._round(consumer)
        finally:
            self._idle.set()
            await close_within(_CLOSE_SECONDS, "consumer of the directory", consumer.stop())

    async def _round(self, consumer: AIOKafkaConsumer) -> None:
        try:
            async with asyncio.timeout(_IDLE_SECONDS + 10):
                found = await consumer.getmany(timeout_ms=int(_IDLE_SECONDS * 1000), max_records=_MAX_BATCH)
        except TimeoutError:
            self._progress.holding("the group is being rebalanced")
            return
        if found:
            self._idle.clear()
            await self._applied([record for records in found.values() for record in records])
            with suppress(KafkaError):
                await consumer.commit({tp: records[-1].offset + 1 for tp, records in found.items()})
            self._idle.set()
        self._progress.made()

    async def _applied(self, records: list[Any]) -> None:
        while True:
            try:
                return await self._records.apply(records)
            except Retryable as fault:
                _log.warning("directory_held", errors=str(fault))
                self._progress.holding(str(fault))
                await asyncio.sleep(fault.after)

    async def _out_of_time(self, stop: Stop) -> None:
        await stop.wait()
        await asyncio.sleep(_STOP_SECONDS)
