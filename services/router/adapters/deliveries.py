"""Writes decisions: the deliveries, and the places in throttles and digests that some of them take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import orjson

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.rules.decisions import Deferred, Digested, Suppressed, Withheld
from services.router.domain.handover import DueDelivery
from services.router.domain.notification import Key
from services.router.domain.reserving import (
    Digest,
    DigestKey,
    Made,
    ThrottleKey,
    admit,
    collect,
    digest_key,
    reserves,
    throttle_key,
    throttle_of,
)

_SQL = load(Path(__file__).with_suffix(".sql"))


@dataclass(slots=True)
class _Reserved:
    """Deliveries that their throttle refuses, and of those that are collected the digest."""

    refused: set[UUID] = field(default_factory=set)
    digests: dict[UUID, UUID] = field(default_factory=dict)


async def insert(connection: Connection, made: Sequence[Made], grace: timedelta) -> list[DueDelivery]:
    """Writes decisions of new notifications; returns what can be made now.

    Throttles and digests are reserved in the order of `made`.
    """
    reserved = _Reserved()
    if wanted := [one for one in made if reserves(one[1])]:
        await _throttle(connection, wanted, reserved)
        await _collect(connection, wanted, reserved)
    rows = sorted(_row(one, reserved) for one in made)
    if not rows:
        return []
    inserted = await connection.fetch(_SQL["insert"], *zip(*rows, strict=True), grace)
    return [DueDelivery(row["tenant"], row["id"], row["channel"]) for row in inserted if row["state"] == "planned"]


async def insert_more(
    connection: Connection, notification: Key, made: Sequence[Made], grace: timedelta
) -> tuple[int, list[DueDelivery]]:
    """The same for people of a group, of whom some may have been decided; returns also how many were not."""
    if any(reserves(delivery) for _, delivery in made):
        await connection.execute(_SQL["lock_notification"], *notification)
    rows = await connection.fetch(_SQL["decided"], notification[0], [delivery.id for _, delivery in made])
    decided = {row["id"] for row in rows}
    fresh = [one for one in made if one[1].id not in decided]
    return len(fresh), await insert(connection, fresh, grace)


async def _throttle(connection: Connection, made: Collection[Made], reserved: _Reserved) -> None:
    wanted: dict[ThrottleKey, list[Made]] = defaultdict(list)
    for one in made:
        if throttle_of(one[1]) is not None:
            wanted[throttle_key(one)].append(one)
    if not wanted:
        return
    kept = []
    for row in await connection.fetch(_SQL["throttles"], *zip(*sorted(wanted), strict=True)):
        key = row["tenant"], row["user_id"], row["channel"], row["type"]
        taken, idle_after = list(row["taken"]), row["now"]
        for _, delivery in wanted[key]:
            throttle = throttle_of(delivery)
            assert throttle is not None  # it was asked for above
            admitted, taken = admit(taken, throttle, row["now"])
            idle_after = row["now"] + timedelta(seconds=throttle.seconds)
            if not admitted:
                reserved.refused.add(delivery.id)
        kept.append((*key, orjson.dumps([at.isoformat() for at in taken]).decode(), idle_after))
    await connection.execute(_SQL["take"], *zip(*kept, strict=True))


async def _collect(connection: Connection, made: Collection[Made], reserved: _Reserved) -> None:
    wanted: dict[DigestKey, list[tuple[UUID, Digested, int]]] = defaultdict(list)
    for one in made:
        notification, delivery = one
        if isinstance(delivery.decision, Digested):
            wanted[digest_key(one, delivery.decision)].append((delivery.id, delivery.decision, notification.urgency))
    if not wanted:
        return
    first = {key: those[0][1] for key, those in sorted(wanted.items())}
    asked = [(*key, d.reason.value, d.max_items, d.closes_at) for key, d in first.items()]
    filled: list[tuple[object, ...]] = []
    for row in await connection.fetch(_SQL["digests"], *zip(*asked, strict=True)):
        key = row["tenant"], row["user_id"], row["channel"], row["key"]
        open_ = Digest(row["id"], row["reason"], row["items"], row["max_items"], row["closes_at"], row["urgency"])
        digests, places = collect(open_, wanted[key], uuid4)
        reserved.digests |= places
        filled += [(key[0], d.id, *key[1:], d.reason, d.items, d.max_items, d.closes_at, d.urgency) for d in digests]
    await connection.execute(_SQL["collect"], *zip(*filled, strict=True))


def _row(made: Made, reserved: _Reserved) -> tuple[object, ...]:
    n, delivery = made
    decision = Suppressed(Withheld.THROTTLED) if delivery.id in reserved.refused else delivery.decision
    deferred = decision if isinstance(decision, Deferred) else None
    return (
        n.tenant,
        delivery.id,
        n.id,
        delivery.user_id,
        delivery.channel,
        decision.state,
        decision.reason.value,
        deferred.until if deferred else None,
        n.expires_at,
        n.urgency,
        deferred is not None and deferred.only_offline,
        reserved.digests.get(delivery.id),
        n.traceparent,
    )
