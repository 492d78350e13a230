"""Kafka and PostgreSQL as the router's neighbours see them: publish events, look at what was written and handed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from libs.schemas import topics
from libs.schemas.records import GATEWAY_RECORD, AcceptedEvent, DeadLetter, DeliveryBatch, NotificationEmission
from services.router.domain.incoming import Record
from tests.unit.router.events import TRACEPARENT

TENANT = "acme"
DEADLINE = 30.0

_UNBALANCED = """
select count(*) from progress where next_offset - start_offset <> accepted + duplicates + dead + gaps
"""
_GAPS = """
select count(*) from room_heads h left join lateral (
  select count(*) as entries, max(seq) as last from room_log l where l.tenant = h.tenant and l.room = h.room
) l on true where h.seq - h.floor <> l.entries or h.seq <> coalesce(l.last, h.floor)
"""
_UNDECIDED = """
select count(*) from notifications n where n.decisions_planned + (
  select coalesce(sum(planned), 0) from expansions e where e.tenant = n.tenant and e.notification = n.id
) <> (select count(*) from room_log l where l.tenant = n.tenant and l.notification = n.id and l.kind = 0)
   + (select count(*) from deliveries d where d.tenant = n.tenant and d.notification = n.id)
"""


class System:
    """The test's own topics and database."""

    def __init__(self, bootstrap: str, prefix: str, dsn: str, sql: asyncpg.Connection, kafka: AIOKafkaProducer) -> None:
        self.bootstrap, self.prefix, self.dsn, self.sql, self._kafka = bootstrap, prefix, dsn, sql, kafka

    async def publish(self, *events: AcceptedEvent | bytes | None, partition: int = 0, topic: str = "") -> list[Record]:
        """Puts events on their typed topics; returns them as the router reads them."""
        records = []
        for event in events:
            name = self.prefix + (topic or (event.event if isinstance(event, AcceptedEvent) else "service.event"))
            value = event.model_dump_json(by_alias=True).encode() if isinstance(event, AcceptedEvent) else event
            headers = [("traceparent", TRACEPARENT.encode())]
            at = await self._kafka.send_and_wait(name, value, b"key", partition=partition, headers=headers)
            records.append(Record(name, partition, at.offset, b"key", value, tuple(headers), at.timestamp / 1000))
        return records

    async def forget(self, first: Record) -> None:
        """Kafka loses what stands before this record in its partition, as by retention."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(first.topic, first.partition): RecordsToDelete(first.offset)})
        finally:
            await admin.close()

    async def read(self, topic: str) -> list[bytes]:
        """All records of a topic, in the order of partitions and offsets."""
        async with _reading(self.bootstrap) as consumer:
            partitions = [TopicPartition(self.prefix + topic, n) for n in range(_partitions(topic))]
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            values: list[bytes] = []
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                for messages in (await consumer.getmany(timeout_ms=200)).values():
                    values += [message.value for message in messages]
            return values

    async def emissions(self) -> list[NotificationEmission]:
        """The notifications that the gateways were sent, where they were sent nothing else."""
        return [NotificationEmission.model_validate_json(value) for value in await self.read("gateway.inbox")]

    async def dead(self) -> list[DeadLetter]:
        """The dead letters."""
        return [DeadLetter.model_validate_json(value) for value in await self.read("events.dead")]

    async def due(self) -> list[UUID]:
        """The deliveries that were handed on."""
        batches = [DeliveryBatch.model_validate_json(value) for value in await self.read("delivery.email")]
        return [reference.id for batch in batches for reference in batch.deliveries]

    async def person(self, user: str, *, email: bool = True, preferences: str | None = None) -> None:
        """Somebody in the directory."""
        address = f"{user}@example.org" if email else None
        await self.sql.execute("insert into users (tenant, user_id, email) values ($1, $2, $3)", TENANT, user, address)
        if preferences is not None:
            await self.sql.execute(
                "insert into preferences (tenant, user_id, version, document) values ($1, $2, 1, $3)",
                TENANT,
                user,
                preferences,
            )

    async def prefer(self, user: str, document: dict[str, Any]) -> None:
        """The person changes their mind."""
        await self.sql.execute(
            "update preferences set document = $2 where user_id = $1", user, orjson.dumps(document).decode()
        )

    async def device(self, user: str) -> None:
        """The person has a telephone."""
        await self.sql.execute(
            "insert into devices (tenant, user_id, device_id, platform, token) values ($1, $2, 'd', 'fcm', 't')",
            TENANT,
            user,
        )

    async def cancel(self, event: UUID) -> None:
        """A request to cancel, as ingest writes it."""
        await self.sql.execute(
            "insert into cancellations (tenant, id, requested_by) values ($1, $2, 'key:test') on conflict do nothing",
            TENANT,
            event,
        )

    async def say(self, key: str, document: dict[str, Any]) -> None:
        """The tenant says something of a type, the first time."""
        await self.sql.execute("insert into catalogue_heads (tenant, version) values ($1, 1)", TENANT)
        await self.sql.execute(
            "insert into notification_types (tenant, key, version, document, actor) values ($1, $2, 1, $3, 'test')",
            TENANT,
            key,
            orjson.dumps(document).decode(),
        )

    async def told(self, event: AcceptedEvent) -> AcceptedEvent:
        """The last event on its typed topic."""
        return AcceptedEvent.model_validate_json((await self.reread(event.event, 0))[-1].value or b"")

    async def shown(self) -> list[NotificationEmission]:
        """The notifications among what gateways were sent."""
        found = [GATEWAY_RECORD.validate_json(value) for value in await self.read("gateway.inbox")]
        return [one for one in found if isinstance(one, NotificationEmission)]

    async def reread(self, topic: str, after: int) -> list[Record]:
        """What stands on a typed topic without the first records of it, as the router reads it."""
        records: list[Record] = []
        async with _reading(self.bootstrap) as consumer:
            partitions = [TopicPartition(self.prefix + topic, n) for n in range(_partitions(topic))]
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                for messages in (await consumer.getmany(timeout_ms=200)).values():
                    records += [
                        Record(m.topic, m.partition, m.offset, m.key, m.value, m.headers, m.timestamp / 1000)
                        for m in messages
                    ]
        records.sort(key=lambda record: record.timestamp)
        return records[after:]

    async def member(self, room: str, *users: str, role: str = "member") -> None:
        """People in a group."""
        count = len(users)
        await self.sql.execute(
            "select memberships_open($1::text[], $2::text[], $3::text[], $4::text[], 'directory')",
            [TENANT] * count,
            list(users),
            [room] * count,
            [role] * count,
        )

    async def listen(self, slot: int, *rooms: str, epoch: int = 1, lease: float = 60) -> None:
        """A gateway in a slot, with interest in rooms."""
        await self.sql.execute(
            "insert into gateway_slots values ($1, $2, 'gateway', clock_timestamp() + $3) on conflict do nothing",
            slot,
            1,
            timedelta(seconds=lease),
        )
        rows = [(TENANT, room, slot, epoch) for room in rooms]
        await self.sql.executemany("insert into room_interest values ($1, $2, $3, $4)", rows)

    async def log(self, room: str) -> list[UUID]:
        """The notifications of a room, in the order of seq."""
        rows = await self.sql.fetch(
            "select notification from room_log where tenant = $1 and room = $2 order by seq", TENANT, room
        )
        return [row[0] for row in rows]

    async def counted(self) -> dict[str, int]:
        """The accounting, summed over all partitions."""
        row = await self.sql.fetchrow(
            "select sum(accepted) accepted, sum(duplicates) duplicates, sum(dead) dead, sum(gaps) gaps from progress"
        )
        assert row is not None
        return {name: int(value) for name, value in row.items()}

    async def adds_up(self) -> None:
        """Fails when the accounting, a room log or the decisions of a notification do not add up."""
        for sql in (_UNBALANCED, _GAPS, _UNDECIDED):
            assert await self.sql.fetchval(sql) == 0, sql

    async def until(self, what: Callable[[], Awaitable[Any]]) -> Any:
        """What it returns as soon as that is true."""
        async with asyncio.timeout(DEADLINE):
            while not (found := await what()):
                await asyncio.sleep(0.05)
            return found

    async def rows(self, count: int, sql: str) -> list[asyncpg.Record]:
        """The rows of a query, as soon as there are so many."""

        async def enough() -> list[asyncpg.Record] | None:
            rows = await self.sql.fetch(sql)
            return rows if len(rows) >= count else None

        found: list[asyncpg.Record] = await self.until(enough)
        return found


@asynccontextmanager
async def observing(bootstrap: str, prefix: str, dsn: str) -> AsyncIterator[System]:
    """The test's side of the stores."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=5_000_000)
    await producer.start()
    system = System(bootstrap, prefix, dsn, await asyncpg.connect(dsn), producer)
    try:
        yield system
    finally:
        system.sql.terminate()  # its server may be gone
        await producer.stop()


@asynccontextmanager
async def _reading(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def _partitions(topic: str) -> int:
    return next(known.partitions for known in topics.ALL if known.name == topic)
