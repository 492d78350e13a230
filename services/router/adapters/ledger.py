"""The ledger in PostgreSQL: notifications, room logs, deliveries and the progress through Kafka, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from libs.postgres.pool import Connection
from libs.postgres.progress import Advance
from libs.postgres.queries import load
from libs.rules.person import Person, preferences, tenant_preferences
from libs.sealing.vault import Vault
from services.router.adapters import deliveries, sealing, withdrawals
from services.router.adapters.positions import PostgresPositions
from services.router.adapters.room_logs import Appended, append, hide
from services.router.domain.broadcasting import Broadcast
from services.router.domain.handover import DueDelivery, Emission, RoomKey
from services.router.domain.notification import Key, Notification, RoomPlace
from services.router.domain.offsets import Partition, Tally, first_hole, partition_of, tally
from services.router.domain.planning import Plan
from services.router.domain.scheduling import Part, Schedule
from services.router.domain.withdrawing import Withdrawn
from services.router.errors import Missing
from services.router.ports import Interest, Later, Writing, Written

_SQL = load(Path(__file__).with_name("ledger.sql"))


class PostgresLedger:
    """Implements services.router.ports.Ledger. `grace` is when delivery looks for what Kafka did not bring.

    What is sensitive leaves it sealed, and comes back open.
    """

    def __init__(self, pool: asyncpg.Pool, positions: PostgresPositions, vault: Vault, grace: timedelta) -> None:
        self._pool, self._positions, self._vault, self._grace = pool, positions, vault, grace

    async def write(self, writing: Writing) -> Written:
        partitions = sorted({partition_of(record) for record, _ in writing.units} | _partition(writing))
        await self._positions.open(partitions)
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                at = await self._positions.lock(connection, partitions)
                written, tallies = await self._write_locked(connection, writing, at)
            self._positions.reached({partition: added.next_offset for partition, added in tallies.items()})
            return written

    async def _write_locked(
        self, connection: Connection, writing: Writing, at: Mapping[Partition, int]
    ) -> tuple[Written, dict[Partition, Tally]]:
        hole = first_hole([record for record, _ in writing.units], at, writing.verified)
        if hole is not None:
            raise Missing(*hole)
        plans = [step for _, step in writing.units if isinstance(step, Plan)]
        keys = await sealing.keys(self._vault, connection, [step for _, step in writing.units])
        inserted = await self._insert(connection, plans, keys, writing.as_of)
        fresh = [plan for plan in plans if inserted.get(plan.notification.key) is False]
        appending = await withdrawals.collapsed(connection, [plan.notification for plan in fresh])
        made = [(plan.notification, delivery) for plan in fresh for delivery in plan.deliveries]
        due = await deliveries.insert(connection, made, self._grace)
        await self._insert_expansions(connection, fresh, writing.as_of)
        schedules = [step for _, step in writing.units if isinstance(step, Schedule)]
        broadcasts = [step for _, step in writing.units if isinstance(step, Broadcast)]
        waiting = await self._schedule(connection, schedules, keys) | await self._broadcast(
            connection, broadcasts, keys
        )
        await withdrawals.replace(connection, appending, inserted)  # what was replaced as it came
        tallies = tally(writing.fates(inserted.keys(), waiting), at, writing.verified)
        if tallies:
            await self._positions.advance(connection, [_advance(*item) for item in sorted(tallies.items())])
        appended = await append(connection, appending)
        await hide(connection, appended)
        gaps = sum(added.gaps for added in tallies.values())
        return _written(appended, inserted, due, waiting, gaps), tallies

    async def _insert(
        self, connection: Connection, plans: Sequence[Plan], keys: sealing.Keys, as_of: datetime | None
    ) -> dict[Key, bool]:
        """What was inserted here, and whether it was cancelled before it came."""
        if not plans:
            return {}
        rows = sorted(plans, key=lambda plan: plan.key)
        columns = zip(*(_row(plan.notification, *sealing.notification(plan, keys)) for plan in rows), strict=True)
        returned = await connection.fetch(_SQL["insert_notifications"], *columns, as_of)
        return {(row[0], row[1]): row[2] for row in returned}

    async def _insert_expansions(self, connection: Connection, plans: Sequence[Plan], as_of: datetime | None) -> None:
        rows = sorted(
            (n.tenant, n.id, expansion.room, " ".join(expansion.channels), expansion.digest_key, n.urgency)
            for n, expansion in ((plan.notification, expansion) for plan in plans for expansion in plan.expansions)
        )
        if rows:
            await connection.execute(_SQL["insert_expansions"], *zip(*rows, strict=True), as_of)

    async def _schedule(self, connection: Connection, schedules: Sequence[Schedule], keys: sealing.Keys) -> set[Later]:
        """The events that were not waiting yet. One that was cancelled before it came is cancelled at once."""
        rows = sorted(_scheduled(schedule, part, keys) for schedule in schedules for part in schedule.parts)
        if not rows:
            return set()
        returned = await connection.fetch(_SQL["schedule"], *zip(*rows, strict=True))
        return {(Schedule, (row["tenant"], row["event_id"])) for row in returned}

    async def _broadcast(
        self, connection: Connection, broadcasts: Sequence[Broadcast], keys: sealing.Keys
    ) -> set[Later]:
        """The events for all tenants that were not there yet, likewise."""
        rows = sorted((*broadcast.key, *_as_received(broadcast, keys)) for broadcast in broadcasts)
        if not rows:
            return set()
        returned = await connection.fetch(_SQL["broadcast"], *zip(*rows, strict=True))
        return {(Broadcast, (row["tenant"], row["id"])) for row in returned}

    async def read_back(self, keys: Collection[Key]) -> tuple[list[Emission], list[DueDelivery]]:
        tenants, ids = [tenant for tenant, _ in keys], [id_ for _, id_ in keys]
        # No transaction: what was committed by another does not change any more.
        async with self._pool.acquire() as connection:
            notifications = await connection.fetch(_SQL["read_notifications"], tenants, ids)
            places = await connection.fetch(_SQL["read_places"], tenants, ids)
            due = await connection.fetch(_SQL["read_deliveries"], tenants, ids)
            opened = await sealing.opened_notifications(self._vault, connection.fetch, notifications)
        by_key: dict[Key, dict[str, RoomPlace]] = defaultdict(dict)
        for tenant, id_, room, epoch, seq in places:
            by_key[tenant, id_][room] = RoomPlace(room, epoch, seq)
        stored = [_notification(row) for row in opened]
        emissions = [
            Emission(n, [by_key[n.key][room] for room in n.rooms if room in by_key[n.key]]) for n in stored if n.rooms
        ]
        return emissions, [DueDelivery(*row) for row in due]

    async def interest(self, rooms: Collection[RoomKey]) -> Interest:
        ordered = sorted(rooms)
        rows = await self._pool.fetch(_SQL["interest"], [t for t, _ in ordered], [room for _, room in ordered])
        found = Interest()
        for tenant, room, slot, document, time_zone, of_tenant in rows:
            found.slots.setdefault((tenant, room), []).append(slot)
            if document is not None:
                tenants = tenant_preferences(of_tenant)
                found.people[tenant, room] = Person({}, preferences(document), tenant=tenants, time_zone=time_zone)
        return found


def _partition(writing: Writing) -> set[Partition]:
    return {writing.verified.partition} if writing.verified is not None else set()


def _written(
    appended: Appended, inserted: Mapping[Key, bool], due: Sequence[DueDelivery], waiting: Collection[Later], gaps: int
) -> Written:
    places = {one.key: places for one, places in appended if isinstance(one, Notification)}
    cancelled = {key: () for key, before in inserted.items() if before}
    withdrawn = [(one, places) for one, places in appended if isinstance(one, Withdrawn)]
    return Written(places | cancelled, withdrawn, due, frozenset(waiting), gaps)


def _advance(partition: Partition, added: Tally) -> Advance:
    return Advance(*partition, added.next_offset, added.accepted, added.duplicates, added.dead, added.gaps)


def _row(n: Notification, data: str | None, sealed: str | None) -> tuple[object, ...]:
    return (
        n.tenant,
        n.id,
        n.event,
        n.type,
        n.name,
        n.title,
        n.message,
        n.severity,
        n.priority,
        n.metadata,
        data,
        orjson.dumps(n.extras).decode(),
        n.audience,
        " ".join(n.rooms),
        n.catalogue_version,
        n.decisions_planned,
        n.traceparent,
        n.source,
        n.accepted_at,
        n.expires_at,
        n.collapse_key,
        sealed,
    )


def _scheduled(schedule: Schedule, part: Part, keys: sealing.Keys) -> tuple[object, ...]:
    event, record = schedule.received.event, schedule.received.record
    source, trace = event.source.topic, schedule.received.traceparent
    kept, is_sealed = sealing.record(schedule, part.id, part.record, keys)
    return event.tenant, part.id, event.id, event.event, source, part.due_at, kept, trace, record.key, is_sealed


def _as_received(broadcast: Broadcast, keys: sealing.Keys) -> tuple[object, ...]:
    received = broadcast.received
    event, record = received.event, received.record
    assert record.value is not None  # it was read
    kept, is_sealed = sealing.record(broadcast, event.id, record.value, keys)
    return event.event, event.source.topic, kept, received.traceparent, record.key, is_sealed


def _notification(values: dict[str, Any]) -> Notification:
    return Notification(**values | {"extras": orjson.loads(str(values["extras"])), "rooms": tuple(values["rooms"])})
