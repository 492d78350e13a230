"""Events for all tenants in PostgreSQL: told, or taken back, a page of tenants a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.schemas.records import AcceptedEvent
from libs.sealing.vault import Vault
from services.router.adapters import sealing, withdrawals
from services.router.domain.broadcasting import id_in, told_in
from services.router.domain.handover import Publication
from services.router.domain.notification import Key

_SQL = load(Path(__file__).with_suffix(".sql"))
_AHEAD = 100  # tenants: no page is larger, and some of it may be disabled or enabled meanwhile


@asynccontextmanager
async def page(connection: Connection, vault: Vault, size: int) -> AsyncIterator[Sequence[Publication]]:
    """What the next tenants of the oldest open broadcast are told; it counts as told when the block ends."""
    row = await connection.fetchrow(_SQL["next"])
    if row is None:
        yield ()
        return
    found = await connection.fetch(_SQL["tenants"], row["cursor"], row["reached"], row["created_at"], size)
    tenants = [tenant for (tenant,) in found]
    if row["reached"] is None:
        (record,) = await sealing.opened_records(vault, connection.fetch, [row])
        event = AcceptedEvent.model_validate_json(record)
        yield [Publication(row["event"], row["key"], told_in(to, event), row["traceparent"]) for to in tenants]
    else:
        told = [(tenant, id_in(tenant, row["tenant"], row["id"]), row["cancelled_by"]) for tenant in tenants]
        await withdrawals.forbid(connection, told)
        yield ()
    cursor = tenants[-1] if tenants else row["cursor"]
    await connection.execute(_SQL["advance"], row["tenant"], row["id"], cursor, len(tenants) < size)


async def recall(connection: Connection, requests: Sequence[tuple[str, UUID, str]]) -> set[Key]:
    """Begins to take back the broadcasts among what is to be cancelled: event and who asked."""
    returned = await connection.fetch(_SQL["recall"], *zip(*requests, strict=True), _AHEAD)
    return {(row["tenant"], row["id"]) for row in returned}
