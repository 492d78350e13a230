"""Kafka as the router hands on to it and reads beside its group, groups, and what is due: the other ports in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from libs.catalogue.catalogue import Catalogue
from services.router.domain.closing import Closed, close
from services.router.domain.handover import DueDelivery, Handover, Publication, RoomKey
from services.router.domain.incoming import Record
from services.router.domain.notification import Key, RoomPlace
from services.router.domain.offsets import Partition, Stretch
from services.router.domain.planning import PlannedDelivery
from services.router.domain.reserving import Stored
from services.router.domain.withdrawing import Withdrawn
from services.router.ports import Look, Members
from tests.simulation import broadcasts, deliveries
from tests.simulation.catalogue import CATALOGUE, members_of
from tests.simulation.database import Transaction
from tests.simulation.ledger import SOMEBODY, Position, advance_heads, append
from tests.simulation.world import Process


class MemoryCatalogues:
    """Implements services.router.ports.Catalogues."""

    def of(self, tenant: str) -> Catalogue:
        return CATALOGUE

    async def then(self, tenant: str, version: str) -> Catalogue:
        return CATALOGUE

    async def refresh(self) -> None:
        return None


class MemoryOutbox:
    """Implements services.router.ports.Outbox: each record is an effect of its own."""

    def __init__(self, process: Process) -> None:
        self._process, self._broker = process, process.world.broker

    async def hand_on(self, handover: Handover, interest: Mapping[RoomKey, Sequence[int]]) -> None:
        for slot, records in handover.emission_records(interest).items():
            for _, encoded in records:
                await self._send("gateway.inbox", encoded, slot)
        for delivery in handover.deliveries:
            await self._send(f"delivery.{delivery.channel}", delivery.id.bytes)
        for publication in handover.publications:
            await self._send(publication.topic, publication.value)
        for dead in handover.dead:
            await self._send("events.dead", dead.record.value)
        await self._process.effect("acknowledged")

    async def _send(self, topic: str, value: bytes | None, partition: int = 0) -> None:
        await self._process.effect(f"send to {topic}")
        self._broker.append(topic, value, self._process.world.now().timestamp(), partition)


class MemoryLog:
    """Implements services.router.ports.KafkaLog."""

    def __init__(self, process: Process) -> None:
        self._process, self._broker = process, process.world.broker

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        return {partition: (0, len(self._broker.partitions[partition])) for partition in partitions}

    async def read(self, stretch: Stretch, limit: int) -> tuple[list[Record], int]:
        await self._process.effect("read again")
        records = self._broker.partitions[stretch.partition][stretch.start : stretch.stop][:limit]
        return records, stretch.start + len(records)


class MemoryReached:
    """Implements services.router.ports.Reached."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def stored(self, topics: Collection[str]) -> dict[Partition, int]:
        await self._process.effect("stored")
        rows: dict[Partition, Position] = self._process.world.database.table("progress")
        return {partition: row.next_offset for partition, row in rows.items() if partition[0] in topics}


class MemoryPage:
    """Implements services.router.ports.Page."""

    def __init__(self, process: Process, transaction: Transaction, key: tuple[str, UUID, str], size: int) -> None:
        self._process, self._transaction, self._key = process, transaction, key
        self._row: deliveries.Expanding = transaction.get("expansions", key)
        people = [user for user in members_of(key[2]) if user > self._row.cursor][:size]
        self._last = len(people) < size
        n, event = self._row.plan.notification, self._row.plan.received.event
        self._members = Members(
            tenant=n.tenant,
            notification=n.id,
            event=event.event,
            type=n.type,
            name=n.name,
            catalogue_version=n.catalogue_version,
            severity=n.severity,
            urgency=n.urgency,
            expires_at=n.expires_at,
            as_of=self._row.as_of,
            digest_key=self._row.expansion.digest_key,
            named=event.channels is not None,
            channels=self._row.expansion.channels,
            people=[(user, SOMEBODY) for user in people],
        )

    @property
    def members(self) -> Members:
        return self._members

    async def record(self, planned: Sequence[PlannedDelivery]) -> list[DueDelivery]:
        await self._process.effect("decide page")
        n, transaction = self._row.plan.notification, self._transaction
        await transaction.lock("notifications", [n.key])
        stored = Stored(n.tenant, n.id, n.type, n.traceparent, n.expires_at, n.urgency)
        fresh = [one for one in planned if transaction.get("deliveries", (n.tenant, one.id)) is None]
        made = [(stored, one) for one in sorted(fresh, key=lambda one: one.id)]
        due = await deliveries.insert(transaction, made, self._process.world.now())
        people = self._members.people
        moved = replace(
            self._row,
            cursor=people[-1][0] if people else self._row.cursor,
            planned=self._row.planned + len(fresh),
            done=self._last,
        )
        transaction.put("expansions", self._key, moved)
        return due


class MemoryExpansions:
    """Implements services.router.ports.Expansions."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @asynccontextmanager
    async def next_page(self, after_tenant: str, size: int) -> AsyncIterator[MemoryPage | None]:
        await self._process.effect("next page")
        database = self._process.world.database
        async with database.transaction() as transaction:
            rows = sorted(database.table("expansions").items(), key=lambda item: item[0])
            open_ = (key for key, row in rows if not row.done and transaction.try_lock("expansions", key))
            key = next(open_, None)
            yield None if key is None else MemoryPage(self._process, transaction, key, size)
            await self._process.effect("commit page")
        await self._process.effect("page committed")


class MemoryDue:
    """Implements services.router.ports.DueWork."""

    def __init__(self, process: Process) -> None:
        self._process, self._database = process, process.world.database

    async def look(self) -> Look:
        await self._process.effect("look")
        telling = any(not row.done for row in self._database.table("broadcasts").values())
        return Look(bool(self._waiting()), telling, bool(self._collecting()), bool(self._asked()))

    @asynccontextmanager
    async def scheduled(
        self, per_tenant: int, limit: int, after: str
    ) -> AsyncIterator[Sequence[tuple[str, Publication]]]:
        async with self._database.transaction() as transaction:
            keys = [key for key in self._waiting() if transaction.try_lock("scheduled", key)]
            rows = [(key, transaction.get("scheduled", key)) for key in keys]
            parts = [(key, row.schedule.received, row.schedule.parts[0]) for key, row in rows]
            yield [(key[0], Publication(r.event.event, b"key", part.record, r.traceparent)) for key, r, part in parts]
            await self._process.effect("commit scheduled")
            for key, row in rows:
                transaction.put("scheduled", key, replace(row, state="handed-on"))
        await self._process.effect("scheduled committed")

    @asynccontextmanager
    async def broadcast(self, size: int) -> AsyncIterator[Sequence[Publication]]:
        async with broadcasts.page(self._process) as publications:
            yield publications

    async def close_digests(self, per_tenant: int, limit: int, after: str) -> tuple[str, list[DueDelivery]]:
        await self._process.effect("close digests")
        async with self._database.transaction() as transaction:
            due = [one for key in self._collecting() if (one := self._close(transaction, key)) is not None]
            await self._process.effect("commit digests")
        await self._process.effect("digests committed")
        return "", due

    def _close(self, transaction: Transaction, key: tuple[str, UUID]) -> DueDelivery | None:
        row: deliveries.Collecting = transaction.get("digests", key)
        if not transaction.try_lock("open_digests", row.key):
            return None
        items = [d for d in transaction.all("deliveries").values() if d.digest == key[1] and d.state == "digested"]
        now = self._process.world.now()
        found = close(SOMEBODY, row.key[2], len(items), now)
        assert isinstance(found, Closed)  # nobody has quiet hours here
        transaction.put("digests", key, replace(row, closed=True))
        if found.state is None or found.reason is None:
            return None
        closing = deliveries.Row(key[1], row.key[1], row.key[2], found.state, found.reason, now)
        transaction.put("deliveries", key, closing)
        return DueDelivery(*key, row.key[2])

    async def cancel(self, limit: int) -> Sequence[tuple[Withdrawn, tuple[RoomPlace, ...]]]:
        await self._process.effect("cancel")
        async with self._database.transaction() as transaction:
            asked = [key for key in self._asked() if transaction.try_lock("cancellations", key)]
            gone = [one for key in asked if (one := await self._cancel(transaction, key)) is not None]
            await deliveries.stop(transaction, [one.key for one in gone], "cancelled")
            for one in gone:
                transaction.put("cancelled", one.key, True)
            places = [where for _, where in await append(transaction, gone, advance_heads)]
            await self._process.effect("commit cancel")
        await self._process.effect("cancel committed")
        return list(zip(gone, places, strict=True))

    async def _cancel(self, transaction: Transaction, key: Key) -> Withdrawn | None:
        await transaction.lock("scheduled", [key])
        waiting, there = transaction.get("scheduled", key), transaction.get("notifications", key)
        if waiting is not None and waiting.state == "waiting":
            transaction.put("scheduled", key, replace(waiting, state="cancelled"))
        recalled = await broadcasts.recall(transaction, key)
        found = waiting is not None or there is not None or recalled
        transaction.put("cancellations", key, None if found else self._process.world.now() + timedelta(seconds=1))
        if there is None or transaction.get("cancelled", key):
            return None
        return Withdrawn(*key, "cancelled", there.rooms)

    async def tidy(self) -> None:
        await self._process.effect("tidy")

    def _asked(self) -> list[Key]:
        """What is to be looked for now; of what was found the time is None."""
        now, rows = self._process.world.now(), self._database.table("cancellations")
        return sorted(key for key, at in rows.items() if at is not None and at <= now)

    def _waiting(self) -> list[Key]:
        now, rows = self._process.world.now(), self._database.table("scheduled")
        return [k for k, r in sorted(rows.items()) if r.state == "waiting" and r.schedule.parts[0].due_at <= now]

    def _collecting(self) -> list[tuple[str, UUID]]:
        now, rows = self._process.world.now(), self._database.table("digests")
        return [key for key, row in sorted(rows.items()) if not row.closed and row.digest.closes_at <= now]
