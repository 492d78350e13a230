"""The router's ledger and directory in memory: the steps of services.router.adapters.ledger, on the same domain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from asyncpg.exceptions import UntranslatableCharacterError

from libs.rules.person import Person
from services.router.domain.broadcasting import Broadcast
from services.router.domain.handover import DueDelivery, Emission, RoomKey
from services.router.domain.notification import Key, Notification, RoomPlace
from services.router.domain.offsets import Tally, first_hole, partition_of, tally
from services.router.domain.placing import NOTIFICATION, entries
from services.router.domain.planning import PersonKey, Plan
from services.router.domain.scheduling import Schedule
from services.router.domain.withdrawing import HolderKey, Withdrawn, collapse, holder_keys
from services.router.errors import Missing
from services.router.ports import Admins, Endpoints, Interest, Later, Nearby, People, Writing, Written
from tests.simulation import broadcasts, deliveries
from tests.simulation.database import Transaction
from tests.simulation.world import Process

EPOCH = 1
#: Somebody listens to every room: in this slot.
SLOT = 0


@dataclass(frozen=True, slots=True)
class Position:
    """A row of `progress`."""

    next_offset: int = 0
    accepted: int = 0
    duplicates: int = 0
    dead: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of `room_log`."""

    notification: UUID
    kind: int
    type: str


class MemoryDirectory:
    """Implements services.router.ports.Directory: everybody has an address."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def people(self, keys: Collection[PersonKey]) -> People:
        await self._process.effect("people")
        return People(dict.fromkeys(keys, SOMEBODY), self._process.world.now())

    async def admins(self, rooms: Collection[RoomKey], roles: Collection[str], limit: int) -> Admins:
        await self._process.effect("admins")
        return Admins(dict.fromkeys(rooms, ("ada",)), self._process.world.now())

    async def nearby(self, searches: Sequence[object], limit: int) -> Nearby:
        await self._process.effect("nearby")
        return Nearby({}, self._process.world.now())

    async def endpoints(self, tenants: Collection[str]) -> Endpoints:
        await self._process.effect("endpoints")
        return {}


SOMEBODY = Person({"email": "somebody@example.test"})


class MemoryLedger:
    """Implements services.router.ports.Ledger. Its parts are methods, so that a test can break one."""

    def __init__(self, process: Process) -> None:
        self._process, self._world = process, process.world

    async def write(self, writing: Writing) -> Written:
        await self._process.effect("begin")
        async with self._world.database.transaction() as transaction:
            written = await self._write(transaction, writing)
            await self._process.effect("commit")
        await self._process.effect("committed")
        return written

    async def _write(self, transaction: Transaction, writing: Writing) -> Written:
        partitions = sorted({partition_of(record) for record, _ in writing.units})
        if writing.verified is not None:
            partitions = sorted({*partitions, writing.verified.partition})
        await self._lock_progress(transaction, partitions)
        positions = {partition: transaction.get("progress", partition, Position()) for partition in partitions}
        at = {partition: position.next_offset for partition, position in positions.items()}
        hole = first_hole([record for record, _ in writing.units], at, writing.verified)
        if hole is not None:
            raise Missing(*hole)
        await self._process.effect("locked")
        plans = [step for _, step in writing.units if isinstance(step, Plan)]
        inserted, cancelled = await self._insert(transaction, plans)
        fresh = self._fresh(plans, inserted - cancelled)
        await self._process.effect("inserted")
        appending = await self._collapse(transaction, [plan.notification for plan in fresh])
        made = [(plan.notification, delivery) for plan in fresh for delivery in plan.deliveries]
        due = await deliveries.insert(transaction, made, self._world.now())
        for plan in fresh:
            for expansion in plan.expansions:
                key = (*plan.notification.key, expansion.room)
                transaction.put("expansions", key, deliveries.Expanding(plan, expansion, self._world.now()))
        waiting = await self._schedule(transaction, [step for _, step in writing.units if isinstance(step, Schedule)])
        waiting |= await broadcasts.begin(
            transaction, [step for _, step in writing.units if isinstance(step, Broadcast)]
        )
        await deliveries.replace_with_newer(transaction, _withdrawn(appending, inserted))
        await self._process.effect("decided")
        for partition, added in tally(writing.fates(inserted, waiting), at, writing.verified).items():
            transaction.put("progress", partition, _advanced(positions[partition], added))
        places = await append(transaction, appending, self._advance_heads)
        shown = {one.key: where for one, where in places if isinstance(one, Notification)}
        withdrawn = [(one, where) for one, where in places if isinstance(one, Withdrawn)]
        return Written(shown | dict.fromkeys(cancelled, ()), withdrawn, due, frozenset(waiting))

    async def _lock_progress(self, transaction: Transaction, partitions: Sequence[tuple[str, int]]) -> None:
        await transaction.lock("progress", partitions)

    async def _insert(self, transaction: Transaction, plans: Sequence[Plan]) -> tuple[set[Key], set[Key]]:
        """`on conflict do nothing returning`, in the order of the keys; and which were cancelled before they came."""
        inserted, cancelled = set(), set()
        for notification in sorted((plan.notification for plan in plans), key=lambda n: n.key):
            if "\x00" in (notification.title or ""):
                raise UntranslatableCharacterError("unsupported Unicode escape sequence")
            await transaction.lock("notifications", [notification.key])
            if transaction.get("notifications", notification.key) is None:
                inserted.add(notification.key)
                if notification.key in transaction.all("cancellations"):
                    cancelled.add(notification.key)
                    transaction.put("cancelled", notification.key, True)
                    notification = replace(notification, rooms=(), decisions_planned=0)  # noqa: PLW2901
                transaction.put("notifications", notification.key, notification)
        return inserted, cancelled

    def _fresh(self, plans: Sequence[Plan], inserted: set[Key]) -> list[Plan]:
        return [plan for plan in plans if plan.notification.key in inserted]

    async def _collapse(
        self, transaction: Transaction, notifications: Sequence[Notification]
    ) -> list[Notification | Withdrawn]:
        keys: list[HolderKey] = sorted({key for n in notifications for key in holder_keys(n)})
        await transaction.lock("collapse_keys", keys)
        held = {key: id_ for key in keys if (id_ := transaction.get("collapse_keys", key)) is not None}
        older = {(key[0], id_) for key, id_ in held.items()}
        rooms = {key: transaction.get("notifications", key).rooms for key in older}
        appended, newest = collapse(notifications, held, rooms)
        for key, id_ in newest.items():
            transaction.put("collapse_keys", key, id_)
        await deliveries.replace_with_newer(transaction, _withdrawn(appended, older))
        return appended

    async def _schedule(self, transaction: Transaction, schedules: Sequence[Schedule]) -> set[Later]:
        waiting = set[Later]()
        for one in sorted(schedules, key=lambda schedule: schedule.key):
            await transaction.lock("scheduled", [one.key])
            if transaction.get("scheduled", one.key) is None:
                cancelled = one.key in transaction.all("cancellations")
                transaction.put("scheduled", one.key, deliveries.Waiting(one, "cancelled" if cancelled else "waiting"))
                waiting.add((Schedule, one.key))
        return waiting

    async def _advance_heads(
        self, transaction: Transaction, heads: Sequence[tuple[RoomKey, int]]
    ) -> dict[RoomKey, int]:
        return await advance_heads(transaction, heads)

    async def read_back(self, keys: Collection[Key]) -> tuple[list[Emission], list[DueDelivery]]:
        await self._process.effect("read-back")
        database = self._world.database
        places: dict[Key, dict[str, RoomPlace]] = {}
        for (tenant, room, seq), entry in database.table("room_log").items():
            if entry.kind == NOTIFICATION:
                places.setdefault((tenant, entry.notification), {})[room] = RoomPlace(room, EPOCH, seq)
        there = [n for key in keys if (n := database.table("notifications").get(key)) is not None]
        there = [n for n in there if n.key not in database.table("cancelled")]
        shown = [Emission(n, [places[n.key][room] for room in n.rooms]) for n in there if n.rooms]
        return shown, deliveries.untaken(database, keys)

    async def interest(self, rooms: Collection[RoomKey]) -> Interest:
        await self._process.effect("interest")
        return Interest({room: [SLOT] for room in rooms})


Appended = list[tuple[Notification | Withdrawn, tuple[RoomPlace, ...]]]
AdvanceHeads = Callable[[Transaction, Sequence[tuple[RoomKey, int]]], Awaitable[dict[RoomKey, int]]]


async def append(
    transaction: Transaction, appending: Sequence[Notification | Withdrawn], advance_heads: AdvanceHeads
) -> Appended:
    """Where each stands now in its rooms."""
    added = entries(appending)
    heads = await advance_heads(transaction, added.heads)
    columns = zip(
        added.tenants, added.rooms, added.left_after, added.notifications, added.kinds, added.types, strict=True
    )
    seqs = []
    for tenant, room, left_after, notification, kind, type_ in columns:
        seq = heads[tenant, room] - left_after
        assert transaction.get("room_log", (tenant, room, seq)) is None, "a seq was given twice"
        transaction.put("room_log", (tenant, room, seq), Entry(notification, kind, type_))
        seqs.append(seq)
    rest = iter(seqs)
    return [(one, tuple(RoomPlace(room, EPOCH, next(rest)) for room in one.rooms)) for one in appending]


async def advance_heads(transaction: Transaction, heads: Sequence[tuple[RoomKey, int]]) -> dict[RoomKey, int]:
    """Locks the heads of rooms in the order of their keys, and moves them on."""
    await transaction.lock("room_heads", [room for room, _ in heads])
    for room, count in heads:
        transaction.put("room_heads", room, transaction.get("room_heads", room, 0) + count)
    return {room: transaction.get("room_heads", room) for room, _ in heads}


def _advanced(position: Position, added: Tally) -> Position:
    return Position(
        added.next_offset,
        position.accepted + added.accepted,
        position.duplicates + added.duplicates,
        position.dead + added.dead,
        position.gaps + added.gaps,
    )


def _withdrawn(appended: Sequence[Notification | Withdrawn], among: Collection[Key]) -> list[Withdrawn]:
    return [one for one in appended if isinstance(one, Withdrawn) and one.key in among]
