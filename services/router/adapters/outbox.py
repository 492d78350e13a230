"""The outbox in Kafka: gateway.inbox, delivery.*, the topics of services, events.dead."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from libs.kafka.faults import RECORD_FAULTS
from libs.kafka.producer import acknowledged
from libs.runtime import tracing
from libs.runtime.clock import Clock, iso
from libs.runtime.logging import get_logger
from libs.schemas import topics
from services.router import metrics
from services.router.domain.handover import DueDelivery, Handover, RoomKey
from services.router.domain.incoming import Dead, Received
from services.router.domain.notification import Key

DELIVERIES_PER_RECORD = 100

Sent = asyncio.Future[RecordMetadata]

_log = get_logger(__name__)


class KafkaOutbox:
    """Implements services.router.ports.Outbox on a started producer."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, clock: Clock) -> None:
        self._producer, self._prefix, self._clock = producer, prefix, clock

    async def hand_on(self, handover: Handover, interest: Mapping[RoomKey, Sequence[int]]) -> None:
        sent: list[Sent] = []
        for slot, records in handover.emission_records(interest).items():
            await self._emit(slot, records, sent)
        for topic, value in _delivery_records(handover.deliveries):
            sent.append(await self._producer.send(self._prefix + topic, value))
        sent += [await self._forward(topic, received) for topic, received in handover.forwards]
        sent += [await self._bury(dead) for dead in handover.dead]
        await acknowledged(sent)

    async def _emit(self, slot: int, records: Sequence[tuple[Key, bytes]], sent: list[Sent]) -> None:
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
            sent.append(
                asyncio.ensure_future(_emitted(await self._producer.send_batch(batch, topic, partition=slot), keys))
            )

    async def _forward(self, topic: str, received: Received) -> Sent:
        record = received.record
        headers = [header for header in record.headers if header[0] != tracing.HEADER]
        headers.append((tracing.HEADER, received.traceparent.encode()))
        sent: Sent = await self._producer.send(self._prefix + topic, record.value, record.key, headers=headers)
        return sent

    async def _bury(self, dead: Dead) -> Sent:
        record = dead.record
        key = str(dead.id) if dead.id is not None else f"{record.topic}:{record.partition}:{record.offset}"
        value = orjson.dumps(_dead_letter(dead, self._clock()))
        sent: Sent = await self._producer.send(
            self._prefix + topics.EVENTS_DEAD.name, value, key.encode(), headers=list(record.headers)
        )
        return sent


async def _emitted(sent: Sent, keys: Sequence[Key]) -> RecordMetadata:
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


def _dead_letter(dead: Dead, now: datetime) -> dict[str, object]:
    """The record of libs.schemas.records.DeadLetter."""
    record = dead.record
    return {
        "schemaVersion": 1,
        "code": dead.code,
        "reason": dead.reason,
        "field": dead.field,
        "source": {"topic": record.topic, "partition": record.partition, "offset": record.offset},
        "sourceTimestamp": iso(datetime.fromtimestamp(record.timestamp, UTC)),
        "tenant": dead.tenant,
        "id": None if dead.id is None else str(dead.id),
        "key": _base64(record.key),
        "value": _base64(record.value),
        "headers": {name: value.decode("utf-8", "replace") for name, value in record.headers},
        "failedAt": iso(now),
        "service": "router",
    }


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()
