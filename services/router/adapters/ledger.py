"""The ledger in PostgreSQL: notifications, room logs, deliveries and the progress through Kafka, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import orjson

from libs.postgres.pool import Connection
from libs.postgres.progress import Advance
from libs.postgres.queries import load
from services.router.adapters.positions import PostgresPositions
from services.router.domain.handover import DueDelivery, Emission, RoomKey
from services.router.domain.incoming import Record
from services.router.domain.notification import Key, Notification, RoomPlace
from services.router.domain.offsets import Fate, Partition, Tally, first_hole, partition_of, tally
from services.router.domain.placing import entries
from services.router.domain.planning import Plan
from services.router.errors import Missing
from services.router.ports import Writing, Written

_SQL = load(Path(__file__).with_name("ledger.sql"))


class PostgresLedger:
    """Implements services.router.ports.Ledger. `grace` is when delivery looks for what Kafka did not bring."""

    def __init__(self, pool: asyncpg.Pool, positions: PostgresPositions, grace: timedelta) -> None:
        self._pool, self._positions, self._grace = pool, positions, grace

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
        inserted = await self._insert(connection, plans, writing.as_of)
        fresh = [plan for plan in plans if plan.notification.key in inserted]
        await self._insert_deliveries(connection, fresh)
        await self._insert_expansions(connection, fresh, writing.as_of)
        tallies = tally(_fates(writing, inserted), at, writing.verified)
        if tallies:
            await self._positions.advance(connection, [_advance(*item) for item in sorted(tallies.items())])
        places = await self._append(connection, [plan.notification for plan in fresh])
        return Written(places, sum(added.gaps for added in tallies.values())), tallies

    async def _insert(self, connection: Connection, plans: Sequence[Plan], as_of: datetime | None) -> set[Key]:
        if not plans:
            return set()
        rows = sorted((plan.notification for plan in plans), key=lambda n: n.key)
        columns = zip(*map(_row, rows), strict=True)
        returned = await connection.fetch(_SQL["insert_notifications"], *columns, as_of)
        return {(row[0], row[1]) for row in returned}

    async def _insert_deliveries(self, connection: Connection, plans: Sequence[Plan]) -> None:
        rows = sorted(
            (
                n.tenant,
                delivery.id,
                n.id,
                delivery.user_id,
                delivery.channel,
                delivery.decision.state,
                delivery.decision.reason.value,
                n.traceparent,
            )
            for n, delivery in ((plan.notification, delivery) for plan in plans for delivery in plan.deliveries)
        )
        if rows:
            await connection.execute(_SQL["insert_deliveries"], *zip(*rows, strict=True), self._grace)

    async def _insert_expansions(self, connection: Connection, plans: Sequence[Plan], as_of: datetime | None) -> None:
        rows = sorted(
            (plan.notification.tenant, plan.notification.id, expansion.room, " ".join(expansion.channels))
            for plan in plans
            for expansion in plan.expansions
        )
        if rows:
            await connection.execute(_SQL["insert_expansions"], *zip(*rows, strict=True), as_of)

    async def _append(
        self, connection: Connection, notifications: Sequence[Notification]
    ) -> dict[Key, tuple[RoomPlace, ...]]:
        added = entries(notifications)
        rows = iter(
            await connection.fetch(
                _SQL["append"],
                [tenant for (tenant, _), _ in added.heads],
                [room for (_, room), _ in added.heads],
                [count for _, count in added.heads],
                added.tenants,
                added.rooms,
                added.left_after,
                added.notifications,
                added.types,
                added.priors,
            )
            if added.rooms
            else ()
        )
        return {n.key: tuple(RoomPlace(room, *next(rows)) for room in n.rooms) for n in notifications}

    async def read_back(self, keys: Collection[Key]) -> tuple[list[Emission], list[DueDelivery]]:
        tenants, ids = [tenant for tenant, _ in keys], [id_ for _, id_ in keys]
        # Three statements and no transaction: what was committed by another does not change any more.
        async with self._pool.acquire() as connection:
            notifications = await connection.fetch(_SQL["read_notifications"], tenants, ids)
            places = await connection.fetch(_SQL["read_places"], tenants, ids)
            deliveries = await connection.fetch(_SQL["read_deliveries"], tenants, ids)
        by_key: dict[Key, dict[str, RoomPlace]] = defaultdict(dict)
        for tenant, id_, room, epoch, seq in places:
            by_key[tenant, id_][room] = RoomPlace(room, epoch, seq)
        stored = [_notification(row) for row in notifications]
        emissions = [
            Emission(n, [by_key[n.key][room] for room in n.rooms if room in by_key[n.key]]) for n in stored if n.rooms
        ]
        return emissions, [DueDelivery(*row) for row in deliveries]

    async def interest(self, rooms: Collection[RoomKey]) -> dict[RoomKey, list[int]]:
        ordered = sorted(rooms)
        rows = await self._pool.fetch(_SQL["interest"], [t for t, _ in ordered], [room for _, room in ordered])
        found: dict[RoomKey, list[int]] = defaultdict(list)
        for tenant, room, slot in rows:
            found[tenant, room].append(slot)
        return found


def _partition(writing: Writing) -> set[Partition]:
    return {writing.verified.partition} if writing.verified is not None else set()


def _fates(writing: Writing, inserted: Collection[Key]) -> list[tuple[Record, Fate]]:
    def fate(step: Plan | Fate) -> Fate:
        if isinstance(step, Fate):
            return step
        return Fate.ACCEPTED if step.notification.key in inserted else Fate.DUPLICATE

    return [(record, fate(step)) for record, step in writing.units]


def _advance(partition: Partition, added: Tally) -> Advance:
    return Advance(*partition, added.next_offset, added.accepted, added.duplicates, added.dead, added.gaps)


def _row(n: Notification) -> tuple[object, ...]:
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
        n.data,
        orjson.dumps(n.extras).decode(),
        n.audience,
        " ".join(n.rooms),
        n.catalogue_version,
        n.decisions_planned,
        n.traceparent,
        n.source,
        n.accepted_at,
    )


def _notification(row: asyncpg.Record) -> Notification:
    values = dict(row)
    return Notification(**values | {"extras": orjson.loads(str(values["extras"])), "rooms": tuple(values["rooms"])})
