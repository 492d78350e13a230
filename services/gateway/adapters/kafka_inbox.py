"""Our partition of gateway.inbox, read without a group: the slot says which, and the position is ours to keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from pydantic import Field, TypeAdapter, ValidationError

from libs.kafka.faults import is_passing
from libs.runtime.lifecycle import close_within
from libs.runtime.logging import get_logger
from libs.schemas.records import Ephemeral, MembershipChange, PresenceChange, StateChange, Withdrawal
from services.gateway import metrics
from services.gateway.domain.notification import Notification
from services.gateway.errors import FeedBreak, Retryable
from services.gateway.ports import Received

log = get_logger(__name__)

_WAIT_MS = 250
_CLOSE_SECONDS = 2.0
_NOTIFICATION = msgspec.json.Decoder(Notification)
_OTHER: TypeAdapter[Received] = TypeAdapter(
    Annotated[Withdrawal | StateChange | MembershipChange | Ephemeral | PresenceChange, Field(discriminator="kind")]
)
_AT_ONCE = 200  # decoding more than this at once would make sockets wait


class KafkaInbox:
    """See ports.Inbox."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap, self._topic = bootstrap, topic
        self._consumer: AIOKafkaConsumer | None = None
        self._partition: TopicPartition | None = None
        self._position = 0

    async def attach(self, slot: int) -> int:
        """See ports.Inbox."""
        try:
            consumer = await self._started()
            partition = TopicPartition(self._topic, slot)
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            # An explicit position: a lazy "latest" would be settled by the first fetch, after the first interest.
            consumer.seek(partition, end)
        except Exception as error:
            await self.close()
            raise _reaction(error) from error
        self._partition, self._position = partition, int(end)
        return self._position

    async def read(self) -> Sequence[Received]:
        """See ports.Inbox."""
        assert self._consumer is not None, "attach first"
        try:
            batches = await self._consumer.getmany(timeout_ms=_WAIT_MS, max_records=_AT_ONCE)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            raise FeedBreak("the position is gone from the partition") from error
        except KafkaError as error:
            raise _reaction(error) from error
        for records in batches.values():
            self._position = records[-1].offset + 1
        values = [record.value for records in batches.values() for record in records]
        found = [record for value in values if (record := _decoded(value)) is not None]
        for kind, count in Counter(record.kind for record in found).items():
            metrics.RECORDS.labels(kind).inc(count)
        return found

    def lag(self) -> int:
        """See ports.Inbox."""
        if self._consumer is None or self._partition is None:
            return 0
        return max(0, (self._consumer.highwater(self._partition) or 0) - self._position)

    async def close(self) -> None:
        """Leaves the broker; `attach` comes back."""
        consumer, self._consumer, self._partition = self._consumer, None, None
        if consumer is not None:
            await close_within(_CLOSE_SECONDS, "gateway.inbox", consumer.stop())

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=_WAIT_MS,
                request_timeout_ms=10_000,
            )
            await self._consumer.start()
        return self._consumer


def _decoded(value: bytes | None) -> Received | None:
    try:
        return _NOTIFICATION.decode(value or b"")
    except msgspec.DecodeError:
        return _other(value)


def _other(value: bytes | None) -> Received | None:
    try:
        record: Received = _OTHER.validate_json(value or b"")
    except ValidationError as error:
        # What it would have shown is found by comparing heads.
        log.error("record_undecodable", errors=[fault["type"] for fault in error.errors()])
        metrics.RECORDS.labels("undecodable").inc()
        return None
    return record


def _reaction(error: Exception) -> Exception:
    return Retryable(f"Kafka: {type(error).__name__}") if is_passing(error) else error
