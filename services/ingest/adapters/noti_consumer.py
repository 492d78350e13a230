"""Reads `noti` from where the ledger says, through rebalances; offsets are committed only after the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from libs.runtime.lifecycle import close_within
from libs.runtime.logging import get_logger
from services.ingest.domain.accounting import Partition
from services.ingest.errors import PositionLost, Retryable

_log = get_logger(__name__)
_REBALANCE_SECONDS = 10.0
_START_SECONDS = 30.0
_STOP_SECONDS = 3.0
_FEW = 500  # records in one go, below which nothing is read ahead


def create_consumer(bootstrap: str, group: str) -> AIOKafkaConsumer:
    """A consumer that is not started yet. It sees only committed transactions of upstream producers."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        client_id="carillon-ingest",
        enable_auto_commit=False,
        # Where the ledger points to a record that retention removed, the oldest one is next; the ledger counts the gap.
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=3_000,
        request_timeout_ms=12_000,
        # A held batch is no reason to lose the partitions: heartbeats run by themselves.
        max_poll_interval_ms=24 * 3_600_000,
        fetch_max_wait_ms=500,
        max_partition_fetch_bytes=1024 * 1024,
    )


class NotiConsumer(ConsumerRebalanceListener):
    """The partitions of this process. New ones stand still until `begin` says from where they are read."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str, revoking: Callable[[], Awaitable[None]]) -> None:
        self._consumer, self._topic, self._revoking = consumer, topic, revoking
        self._fresh: set[Partition] = set()
        self._expected: dict[Partition, int] = {}
        self.joined = False

    async def __aenter__(self) -> NotiConsumer:
        self._consumer.subscribe([self._topic], listener=self)
        try:
            async with asyncio.timeout(_START_SECONDS):  # it would wait for ever for a group without coordinator
                await self._consumer.start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.joined = False
        await self._stop()

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """Lets the batch under way end, so that the next owner does not repeat it."""
        self.joined = False
        self._fresh, self._expected = set(), {}
        await self._revoking()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Holds the partitions back until they are opened."""
        self._consumer.pause(*assigned)
        self._expected = {}
        self._fresh = {(tp.topic, tp.partition) for tp in assigned}
        self.joined = True

    @property
    def fresh(self) -> frozenset[Partition]:
        """Partitions that wait for `begin`."""
        return frozenset(self._fresh)

    @property
    def partitions(self) -> int:
        """How many are read."""
        return len(self._expected)

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """(first, end) of each: where to begin when nothing is known, and the log end offset."""
        wanted = [TopicPartition(*partition) for partition in partitions]
        ends = await self._consumer.end_offsets(wanted)
        beginnings = await self._consumer.beginning_offsets(wanted)
        bounds: dict[Partition, tuple[int, int]] = {}
        for tp in wanted:
            committed = await self._consumer.committed(tp)
            known = committed is not None and beginnings[tp] <= committed <= ends[tp]
            bounds[tp.topic, tp.partition] = (committed if known else beginnings[tp], ends[tp])
        return bounds

    def begin(self, partition: Partition, offset: int) -> None:
        """Reads the partition from here; does nothing when it has been revoked meanwhile."""
        if partition not in self._fresh:
            return
        tp = TopicPartition(*partition)
        self._consumer.seek(tp, offset)
        self._consumer.resume(tp)
        self._fresh.discard(partition)
        self._expected[partition] = offset

    async def next(self, seconds: float, limit: int) -> dict[Partition, list[ConsumerRecord]]:
        """At most `limit` records; none after `seconds`. Raises PositionLost when the log runs backwards."""
        self._consumer.resume(*self._read)
        try:
            async with asyncio.timeout(seconds + _REBALANCE_SECONDS):
                found = await self._consumer.getmany(timeout_ms=int(seconds * 1000), max_records=limit)
        except TimeoutError:
            raise Retryable("the group is being rebalanced", 0) from None
        if found and sum(map(len, found.values())) < _FEW:
            # What is read ahead of the next round is old by then, and what came since waits for the round after it.
            self._consumer.pause(*self._read)
        return {
            partition: records
            for tp, records in found.items()
            if self._follows(partition := (tp.topic, tp.partition), records)
        }

    @property
    def _read(self) -> list[TopicPartition]:
        return [TopicPartition(*partition) for partition in self._expected]

    def _follows(self, partition: Partition, records: list[ConsumerRecord]) -> bool:
        expected = self._expected.get(partition)
        if expected is None:
            return False  # of an assignment that is over
        if records[0].offset < expected:
            raise PositionLost(f"{partition[0]}/{partition[1]} went back from {expected} to {records[0].offset}")
        if records[0].offset > expected:
            fields = {"topic": partition[0], "partition": partition[1], "expected": expected}
            _log.warning("offsets_skipped", found=records[0].offset, **fields)
        self._expected[partition] = records[-1].offset + 1
        return True

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tells Kafka how far the ledger is. It is for lag and monitoring: a failure is repaired by the next one."""
        mine = {TopicPartition(*p): offset for p, offset in positions.items() if p in self._expected}
        if mine:
            with suppress(CommitFailedError, IllegalStateError, KafkaError):
                await self._consumer.commit(mine)

    async def _stop(self) -> None:
        await close_within(_STOP_SECONDS, "consumer of noti", self._consumer.stop())
