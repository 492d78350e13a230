"""Deliveries as the router plans them, and what the ledger says of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from libs.runtime.ids import delivery_id
from libs.schemas.events import Channel
from libs.schemas.records import DeadLetter, DeliveryBatch, DeliveryReference

TENANT = "default"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

_USER = """
insert into users (tenant, user_id, email, display_name) values ($1, $2, $3, $4) on conflict do nothing
"""
_NOTIFICATION = """
insert into notifications (tenant, id, event, type, title, message, severity, metadata, data, audience, rooms,
                           catalogue_version, decisions_planned, traceparent, source, accepted_at, planned_at)
values ($1, $2, 'system.notification', 'system.notification', $3, $4, 'normal', '{}', $5, '{}', '{}', '1', 1, $6, '{}',
        clock_timestamp(), clock_timestamp())
"""
_DELIVERY = """
insert into deliveries (tenant, id, notification, user_id, channel, state, reason, next_attempt_at, expires_at,
                        traceparent)
values ($1, $2, $3, $4, $9, $5, 'planned', clock_timestamp() + $6, clock_timestamp() + $7, $8)
"""


@dataclass(frozen=True)
class Planned:
    """One planned delivery."""

    id: UUID
    notification: UUID
    address: str
    channel: Channel = "email"

    @property
    def reference(self) -> DeliveryReference:
        return DeliveryReference(tenant=TENANT, id=self.id)

    @property
    def message_id(self) -> str:
        return f"<{self.id}@example.test>"


class Plan:
    """Plans deliveries and looks at the ledger, as the superuser."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def one(self, user: str = "ada", **how: Any) -> Planned:
        """A delivery to one person; arguments as in `many`."""
        return (await self.many([user], **how))[0]

    async def many(
        self,
        users: Sequence[str],
        *,
        channel: Channel = "email",
        title: str = "A title",
        message: str = "Some **words**.",
        email: str | None = "",
        state: str = "planned",
        due_in: float = 3600.0,
        expires_in: float | None = None,
    ) -> list[Planned]:
        """One delivery for each; found by the due-scan in `due_in` seconds, by Kafka at once."""
        planned = []
        async with self.connection.transaction():
            for user in users:
                address = f"{user}@example.test" if email == "" else email
                notification = uuid4()
                delivery = delivery_id(notification, channel, user)
                await self.connection.execute(_USER, TENANT, user, address, user.title())
                await self.connection.execute(
                    _NOTIFICATION, TENANT, notification, title, message, '{"ctaUrl": "/reports"}', TRACEPARENT
                )
                expires = None if expires_in is None else timedelta(seconds=expires_in)
                due = timedelta(seconds=due_in)
                await self.connection.execute(
                    _DELIVERY, TENANT, delivery, notification, user, state, due, expires, TRACEPARENT, channel
                )
                planned.append(Planned(delivery, notification, address or "", channel))
        return planned

    async def row(self, delivery: Planned) -> asyncpg.Record:
        """The ledger's row."""
        row = await self.connection.fetchrow(
            "select * from deliveries where tenant = $1 and id = $2", TENANT, delivery.id
        )
        assert row is not None
        return row

    async def attempts(self, delivery: Planned) -> list[asyncpg.Record]:
        """Its attempts, in order."""
        return await self.connection.fetch(
            "select * from delivery_attempts where tenant = $1 and delivery = $2 order by attempt", TENANT, delivery.id
        )

    async def states(self) -> Counter[str]:
        """How many deliveries are in each state."""
        rows = await self.connection.fetch("select state, count(*) as n from deliveries group by state")
        return Counter({row["state"]: row["n"] for row in rows})

    async def until(self, delivery: Planned, state: str, timeout: float = 20.0) -> asyncpg.Record:
        """Its row, once it is in the state."""
        async with asyncio.timeout(timeout):
            while (row := await self.row(delivery))["state"] != state:
                await asyncio.sleep(0.05)
        return row

    async def until_all(self, state: str, count: int, timeout: float = 60.0) -> None:
        """Returns when this many deliveries are in the state; raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                while (await self.states())[state] < count:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise TimeoutError(f"not {count} {state}: {await self.states()}") from None


class Work:
    """Names deliveries on Kafka, and reads the dead letters."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap, self.prefix = bootstrap, prefix

    async def name(self, deliveries: Sequence[Planned], each: int = 1) -> None:
        """Produces them to their channel's topic, `each` to a record, keyed by the address."""
        channel = deliveries[0].channel
        records = [
            (part[0].address.encode(), DeliveryBatch(channel=channel, deliveries=tuple(d.reference for d in part)))
            for part in _parts(deliveries, each)
        ]
        await self.produce([(key, batch.model_dump_json(by_alias=True).encode()) for key, batch in records], channel)

    async def produce(self, records: Sequence[tuple[bytes | None, bytes | None]], channel: Channel = "email") -> None:
        """Raw records on a channel's topic."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for key, value in records:
                await producer.send(f"{self.prefix}delivery.{channel}", value, key=key)

    async def dead(self, count: int, timeout: float = 20.0) -> list[tuple[bytes, DeadLetter]]:
        """The first `count` dead letters with their keys."""
        consumer = AIOKafkaConsumer(
            f"{self.prefix}delivery.dead", bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )
        letters: list[tuple[bytes, DeadLetter]] = []
        async with consumer, asyncio.timeout(timeout):
            while len(letters) < count:
                record = await consumer.getone()
                letters.append((record.key, DeadLetter.model_validate_json(record.value)))
        return letters


def _parts(items: Sequence[Planned], size: int) -> Iterator[Sequence[Planned]]:
    return (items[start : start + size] for start in range(0, len(items), size))


@asynccontextmanager
async def planning(dsn: str) -> AsyncIterator[Plan]:
    """A Plan on a database."""
    connection = await asyncpg.connect(dsn)
    try:
        yield Plan(connection)
    finally:
        await connection.close()
