"""Withdraws notifications in a transaction of the ledger: what is replaced, and what is cancelled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import UUID

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from services.router.domain.notification import Key, Notification
from services.router.domain.withdrawing import Withdrawn, collapse, holder_keys

_SQL = load(Path(__file__).with_name("withdrawing.sql"))


async def collapsed(
    connection: Connection, notifications: Sequence[Notification]
) -> Sequence[Notification | Withdrawn]:
    """What is to be appended: the notifications, and before each the older ones that it replaces."""
    keys = {key: n.id for n in notifications for key in holder_keys(n)}
    if not keys:
        return notifications
    columns = zip(*((*key, first) for key, first in sorted(keys.items())), strict=True)
    rows = await connection.fetch(_SQL["collapse"], *columns)
    fresh = {n.key for n in notifications}  # they stand where there was nothing before
    held = {(row["tenant"], row["room"], row["key"]): row["notification"] for row in rows}
    holders = {key: id_ for key, id_ in held.items() if (key[0], id_) not in fresh}
    older = sorted({(key[0], id_) for key, id_ in holders.items()})
    places = await connection.fetch(_SQL["rooms"], *_columns(older)) if older else []
    appended, newest = collapse(notifications, holders, {(row["tenant"], row["id"]): row["rooms"] for row in places})
    await connection.execute(_SQL["hold"], *zip(*((*key, id_) for key, id_ in sorted(newest.items())), strict=True))
    await replace(connection, appended, set(older))
    return appended


async def replace(connection: Connection, appended: Sequence[Notification | Withdrawn], among: Collection[Key]) -> None:
    """Sends nothing more of what is replaced among these; where it stays for some, nothing to who has the newer."""
    replaced = [one for one in appended if isinstance(one, Withdrawn) and one.key in among]
    if whole := [one.key for one in replaced if not one.partial]:
        await stop(connection, whole, "replaced")
    if parts := sorted((*one.key, room) for one in replaced if one.partial for room in one.rooms):
        columns = list(zip(*parts, strict=True))
        await connection.execute(_SQL["end_expansions_in"], *columns)
        await connection.execute(_SQL["cancel_deliveries_in"], *columns)


async def stop(connection: Connection, keys: Collection[Key], reason: str) -> None:
    """Nothing more is sent of these notifications; what is being sent cannot be called back."""
    ordered = sorted(keys)
    await connection.execute(_SQL["end_expansions"], *_columns(ordered))
    await connection.execute(_SQL["cancel_deliveries"], *_columns(ordered), reason)


async def mark(connection: Connection, keys: Collection[Key]) -> None:
    """They were cancelled."""
    await connection.execute(_SQL["mark"], *_columns(sorted(keys)))


async def forbid(connection: Connection, requests: Collection[tuple[str, UUID, str]]) -> None:
    """Asks to cancel notifications that may still come: tenant, id and who asked."""
    if requests:
        await connection.execute(_SQL["forbid"], *zip(*sorted(requests), strict=True))


def _columns(keys: Sequence[Key]) -> tuple[list[object], list[object]]:
    return [tenant for tenant, _ in keys], [id_ for _, id_ in keys]
