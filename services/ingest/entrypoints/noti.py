"""Consumes `noti` for as long as the process runs, through every fault of Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer

from libs.kafka.faults import is_passing
from libs.runtime.health import Progress
from libs.runtime.lifecycle import Stop, first
from libs.runtime.logging import get_logger
from services.ingest.adapters.noti_consumer import NotiConsumer
from services.ingest.domain.accounting import Handled, Partition
from services.ingest.errors import PositionLost, Retryable
from services.ingest.handlers.noti import NotiBatches
from services.ingest.handlers.settlement import Settlement
from services.ingest.metrics import PARTITIONS
from services.ingest.ports.publishing import Ledger

_log = get_logger(__name__)

_IDLE_SECONDS = 0.5
_MAX_BATCH = 2_000
_REVOKE_SECONDS = 5.0
_MAX_BACKOFF = 10.0
#: Rounds begin at least this far apart: what comes meanwhile shares the next one's requests. An event that comes alone
#: does not wait, and a full round takes longer anyway. At 500 events a second there are half as many rounds.
_ROUND_SECONDS = 0.004


class NotiEntrypoint:
    """One session after the other: each has a consumer, the ledger of the cluster that it reads, and a settlement."""

    def __init__(
        self,
        create_consumer: Callable[[], AIOKafkaConsumer],
        topic: str,
        batches: NotiBatches,
        find_ledger: Callable[[], Awaitable[Ledger]],
        progress: Progress,
        *,
        stop_seconds: float,
    ) -> None:
        self._create_consumer, self._topic, self._batches = create_consumer, topic, batches
        self._find_ledger, self._progress, self._stop_seconds = find_ledger, progress, stop_seconds
        self._consumer: NotiConsumer | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    async def fault(self) -> str | None:
        """Why records are not read, or None."""
        if self._consumer is None or not self._consumer.joined:
            return "not a member of the consumer group yet"
        return f"{len(fresh)} partitions wait for PostgreSQL" if (fresh := self._consumer.fresh) else None

    async def run(self, stop: Stop) -> None:
        """Returns after `stop`, when the batch under way has ended or been given back."""
        backoff = 0.5
        while not stop.is_set():
            try:
                await self._session(stop)
            except (Retryable, PositionLost, OSError) as fault:
                reason = str(fault)
            except Exception as fault:
                if not is_passing(fault):
                    raise
                reason = f"{type(fault).__name__}: {fault}"
            else:
                return
            _log.warning("noti_held", errors=reason)
            self._progress.holding(reason)
            await _until(stop, backoff)
            backoff = min(_MAX_BACKOFF, backoff * 2)

    async def _session(self, stop: Stop) -> None:
        ledger = await self._find_ledger()
        consumer = NotiConsumer(self._create_consumer(), self._topic, self._let_go)
        settlement = Settlement(ledger, consumer.commit, self._progress)
        self._consumer, self._settlement = consumer, settlement
        async with consumer:
            try:
                await first(self._read(ledger, stop), settlement.run(), self._out_of_time(stop))
            finally:
                self._consumer = None
                PARTITIONS.set(0)

    async def _read(self, ledger: Ledger, stop: Stop) -> None:
        assert self._consumer is not None
        clock = asyncio.get_running_loop().time
        next_round = clock()
        while not stop.is_set():
            await self._open(self._consumer, ledger)
            if self._settlement.is_full:
                await self._settlement.done()
            await asyncio.sleep(max(0.0, next_round - clock()))
            try:
                batch = await self._consumer.next(_IDLE_SECONDS, _MAX_BATCH)
            except Retryable as fault:
                self._progress.holding(str(fault))
                continue
            self._progress.made()
            next_round = clock() + _ROUND_SECONDS
            if batch:
                self._idle.clear()
                try:
                    self._settlement.add(await self._handed_on(batch))
                finally:
                    self._idle.set()
        await self._settlement.done()

    async def _open(self, consumer: NotiConsumer, ledger: Ledger) -> None:
        """Asks the ledger from where newly assigned partitions are read, until it answers."""
        while fresh := consumer.fresh:
            await self._settlement.done()  # what was read before is counted before the position is asked for
            try:
                await self._batches.ready()
                for partition, (beginning, end) in (await consumer.bounds(fresh)).items():
                    consumer.begin(partition, await ledger.open(partition, first=beginning, end=end))
            except Retryable as fault:
                await self._hold(fault)
            PARTITIONS.set(consumer.partitions)

    async def _handed_on(self, batch: dict[Partition, list[Any]]) -> list[Handled]:
        while True:
            try:
                return await self._batches.hand_on(batch, self._progress)
            except Retryable as fault:
                await self._hold(fault)

    async def _hold(self, fault: Retryable) -> None:
        _log.warning("noti_held", errors=str(fault))
        self._progress.holding(str(fault))
        await asyncio.sleep(fault.after)

    async def _let_go(self) -> None:
        """Before a rebalance: lets the batch under way be counted, so that its next owner does not repeat it."""
        try:
            async with asyncio.timeout(_REVOKE_SECONDS):
                await self._idle.wait()
                await self._settlement.done()
        except TimeoutError:
            _log.warning("batch_given_back", errors="the group is being rebalanced")

    async def _out_of_time(self, stop: Stop) -> None:
        await stop.wait()
        await asyncio.sleep(self._stop_seconds)
        _log.warning("batch_given_back", errors="its neighbours were away until the end")


async def _until(stop: Stop, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
