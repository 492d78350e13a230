"""The outbox in Kafka: gateway.inbox, delivery.*, the topics of services, events.dead."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from libs.kafka.faults import RECORD_FAULTS
from libs.kafka.producer import LazyProducer, acknowledged
from libs.runtime import dead_letters, tracing
from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from libs.schemas import topics
from services.router import metrics
from services.router.domain.handover import DueDelivery, Handover, RoomKey
from services.router.domain.incoming import Dead, Received
from services.router.domain.notification import Key

DELIVERIES_PER_RECORD = 100

Headers = Sequence[tuple[str, bytes]]
Sent = asyncio.Future[RecordMetadata | None]

_log = get_logger(__name__)


class KafkaOutbox:
    """Implements services.router.ports.Outbox.

    A producer that has failed once may fail for ever, so the next hand-on gets a new one.
    """

    def __init__(self, producer: LazyProducer, prefix: str, clock: Clock) -> None:
        self._producer, self._prefix, self._clock = producer, prefix, clock

    async def close(self) -> None:
        """Lets the producer send what it has, for a moment."""
        await self._producer.discard()

    async def start(self) -> None:
        """Connects, so that the first event does not wait for it."""
        await self._producer.started()

    async def hand_on(self, handover: Handover, interest: Mapping[RoomKey, Sequence[int]]) -> None:
        shipment = _Shipment(await self._producer.started(), self._prefix, self._clock())
        try:
            for slot, records in handover.emission_records(interest).items():
                await shipment.emit(slot, records)
            for topic, value in _delivery_records(handover.deliveries):
                await shipment.send(topic, value)
            for topic, received in handover.forwards:
                await shipment.forward(topic, received)
            for publication in handover.publications:
                headers = [(tracing.HEADER, publication.traceparent.encode())]
                await shipment.send(publication.topic, publication.value, publication.key, headers)
            for dead in handover.dead:
                await shipment.bury(dead)
        except Exception:  # whatever it is, nobody waits for the rest; it is raised again
            shipment.abandon()
            await self.close()
            raise
        try:
            await acknowledged(shipment.sent)
        except Exception:  # a producer that failed once may fail for ever; it is raised again
            await self.close()
            raise


class _Shipment:
    """What one hand-on sends."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, now: datetime) -> None:
        self._producer, self._prefix, self._now = producer, prefix, now
        self.sent: list[Sent] = []

    async def send(self, topic: str, value: bytes | None, key: bytes | None = None, headers: Headers = ()) -> None:
        """One record to a topic, named without its prefix."""
        self.sent.append(await self._producer.send(self._prefix + topic, value, key, headers=list(headers)))

    def abandon(self) -> None:
        """Nobody waits for what was sent."""
        for sent in self.sent:
            sent.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def emit(self, slot: int, records: Sequence[tuple[Key, bytes]]) -> None:
        """Fills whole batches: a future for each batch costs a fraction of a future for each record."""
        topic = self._prefix + topics.GATEWAY_INBOX.name
        if slot not in await self._producer.partitions_for(topic):
            metrics.EMISSIONS_SKIPPED.labels("no-partition").inc(len(records))
            _log.error("slot_without_partition", slot=slot, errors=[f"{topic} has no partition {slot}"])
            return
        waiting = iter(records)
        record = next(waiting, None)
        while record is not None:
            batch = self._producer.create_batch()
            keys: list[Key] = []
            while record is not None and batch.append(key=None, value=record[1], timestamp=None) is not None:
                keys.append(record[0])
                record = next(waiting, None)
            batch.close()
            sent = await self._producer.send_batch(batch, topic, partition=slot)
            self.sent.append(asyncio.ensure_future(_emitted(sent, keys)))

    async def forward(self, topic: str, received: Received) -> None:
        """The record as it came, under its key and with its trace."""
        record = received.record
        headers = [header for header in record.headers if header[0] != tracing.HEADER]
        headers.append((tracing.HEADER, received.traceparent.encode()))
        await self.send(topic, record.value, record.key, headers)

    async def bury(self, dead: Dead) -> None:
        """A dead letter, under the notification's id where it is known."""
        record = dead.record
        key = str(dead.id) if dead.id is not None else f"{record.topic}:{record.partition}:{record.offset}"
        await self.send(topics.EVENTS_DEAD.name, _letter(dead, self._now), key.encode(), record.headers)


async def _emitted(sent: Sent, keys: Sequence[Key]) -> RecordMetadata | None:
    try:
        metadata = await sent
    except RECORD_FAULTS as error:
        # It stands in the log already: a gateway sees that its head moved on, and fetches it from there.
        metrics.EMISSIONS_SKIPPED.labels("too-large").inc(len(keys))
        _log.error("emission_too_large", notification_id=[id_ for _, id_ in keys], errors=[type(error).__name__])
        return None
    metrics.EMISSIONS.inc(len(keys))
    return metadata


def _delivery_records(due: Iterable[DueDelivery]) -> Iterable[tuple[str, bytes]]:
    by_channel = sorted(due, key=lambda delivery: delivery.channel)
    for channel, deliveries in itertools.groupby(by_channel, key=lambda delivery: delivery.channel):
        rest = list(deliveries)
        while rest:
            chunk, rest = rest[:DELIVERIES_PER_RECORD], rest[DELIVERIES_PER_RECORD:]
            references = [{"tenant": delivery.tenant, "id": str(delivery.id)} for delivery in chunk]
            record = {"schemaVersion": 1, "channel": channel, "deliveries": references}
            yield topics.DELIVERY[channel].name, orjson.dumps(record)


def _letter(dead: Dead, now: datetime) -> bytes:
    record = dead.record
    return dead_letters.encoded(
        dead_letters.Original(
            record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, record.headers
        ),
        code=dead.code,
        reason=dead.reason,
        field=dead.field,
        tenant=dead.tenant,
        id_=dead.id,
        failed_at=now,
        service="router",
    )
