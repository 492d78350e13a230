"""Deliveries, throttles, digests, groups and schedules in memory: the steps of the adapters, on the same domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from libs.rules.decisions import Digested, Suppressed, Withheld
from services.router.domain.handover import DueDelivery
from services.router.domain.notification import Key
from services.router.domain.planning import Expansion, Plan
from services.router.domain.reserving import (
    Digest,
    DigestKey,
    Made,
    ThrottleKey,
    admit,
    collect,
    digest_key,
    throttle_key,
    throttle_of,
)
from services.router.domain.scheduling import Schedule
from services.router.domain.withdrawing import Withdrawn
from tests.simulation.database import Database, Transaction

_DIGESTS = UUID(int=7)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `deliveries`. `at`: when it was decided."""

    notification: UUID
    user_id: str
    channel: str
    state: str
    reason: str
    at: datetime
    throttle: ThrottleKey | None = None
    digest: UUID | None = None


@dataclass(frozen=True, slots=True)
class Expanding:
    """A row of `expansions`."""

    plan: Plan
    expansion: Expansion
    as_of: datetime
    cursor: str = ""
    planned: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is scheduled."""

    schedule: Schedule
    state: str = "waiting"


@dataclass(frozen=True, slots=True)
class Collecting:
    """A row of `digests`."""

    key: DigestKey
    digest: Digest
    closed: bool = False


async def insert(transaction: Transaction, made: Sequence[Made], now: datetime) -> list[DueDelivery]:
    """Writes decisions of which there is none yet; returns what can be made now."""
    refused = await _throttle(transaction, made, now)
    places = await _collect(transaction, made, now)
    due = []
    for notification, delivery in sorted(made, key=lambda one: (one[0].tenant, one[1].id)):
        decision = Suppressed(Withheld.THROTTLED) if delivery.id in refused else delivery.decision
        key = notification.tenant, delivery.id
        await transaction.lock("deliveries", [key])
        if transaction.get("deliveries", key) is not None:
            continue
        row = Row(
            notification.id,
            delivery.user_id,
            delivery.channel,
            decision.state,
            decision.reason.value,
            now,
            throttle_key((notification, delivery)) if throttle_of(delivery) is not None else None,
            places.get(delivery.id),
        )
        transaction.put("deliveries", key, row)
        if decision.state == "planned":
            due.append(DueDelivery(*key, delivery.channel))
    return due


async def stop(transaction: Transaction, keys: Sequence[Key], reason: str = "replaced") -> None:
    """Nothing more is sent of notifications that are withdrawn."""
    expansions = [key for key in sorted(transaction.all("expansions")) if key[:2] in keys]
    await transaction.lock("expansions", expansions)
    for expansion in expansions:
        transaction.put("expansions", expansion, replace(transaction.get("expansions", expansion), done=True))
    rows = [key for key, row in sorted(transaction.all("deliveries").items()) if (key[0], row.notification) in keys]
    await _cancel(transaction, rows, reason)


async def _cancel(transaction: Transaction, rows: Sequence[Key], reason: str) -> None:
    await transaction.lock("deliveries", rows)
    for key in rows:
        row = transaction.get("deliveries", key)
        if row.state in ("planned", "deferred", "digested"):
            transaction.put("deliveries", key, replace(row, state="cancelled", reason=reason))


async def replace_with_newer(transaction: Transaction, replaced: Sequence[Withdrawn]) -> None:
    """Nothing more is sent of what is replaced; where it stays for some, not to those in whose room it is."""
    await stop(transaction, [one.key for one in replaced if not one.partial])
    theirs = {(*one.key, room) for one in replaced if one.partial for room in one.rooms}
    rows = [
        key
        for key, row in sorted(transaction.all("deliveries").items())
        if (key[0], row.notification, f"user:{row.user_id}") in theirs
    ]
    await _cancel(transaction, rows, "replaced")


def untaken(database: Database, keys: Collection[Key]) -> list[DueDelivery]:
    """What was planned of notifications: nobody sends anything here."""
    return [
        DueDelivery(tenant, id_, row.channel)
        for (tenant, id_), row in database.table("deliveries").items()
        if row.state == "planned" and (tenant, row.notification) in keys
    ]


async def _throttle(transaction: Transaction, made: Sequence[Made], now: datetime) -> set[UUID]:
    wanted: dict[ThrottleKey, list[Made]] = defaultdict(list)
    for one in made:
        if throttle_of(one[1]) is not None:
            wanted[throttle_key(one)].append(one)
    await transaction.lock("throttles", sorted(wanted))
    refused = set()
    for key, those in wanted.items():
        taken = transaction.get("throttles", key, [])
        for _, delivery in those:
            throttle = throttle_of(delivery)
            assert throttle is not None
            admitted, taken = admit(taken, throttle, now)
            refused |= set() if admitted else {delivery.id}
        transaction.put("throttles", key, taken)
    return refused


async def _collect(transaction: Transaction, made: Sequence[Made], now: datetime) -> dict[UUID, UUID]:
    wanted: dict[DigestKey, list[tuple[UUID, Digested, int]]] = defaultdict(list)
    for one in made:
        if isinstance(one[1].decision, Digested):
            wanted[digest_key(one, one[1].decision)].append((one[1].id, one[1].decision, one[0].urgency))
    places: dict[UUID, UUID] = {}
    for key, those in sorted(wanted.items()):
        await transaction.lock("open_digests", [key])
        numbers = iter(range(len(transaction.all("digests")), 10_000))
        found = [
            row.digest
            for row in transaction.all("digests").values()
            if row.key == key and not row.closed and not row.digest.full
        ]
        first = those[0][1]
        digest = (
            found[0]
            if found
            else Digest(uuid5(_DIGESTS, f"{key}{next(numbers)}"), first.reason, 0, first.max_items, first.closes_at, 3)
        )
        digests, placed = collect(digest, those, lambda key=key, n=numbers: uuid5(_DIGESTS, f"{key}{next(n)}"))  # type: ignore[misc]
        places |= placed
        for filled in digests:
            closes_at = now if filled.full else filled.closes_at
            transaction.put("digests", (key[0], filled.id), Collecting(key, replace(filled, closes_at=closes_at)))
    return places
