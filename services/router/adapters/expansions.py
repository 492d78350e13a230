"""Open expansions in PostgreSQL: a page a transaction, whose lock keeps it from other routers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.rules.person import person_of
from services.router.adapters.deliveries import insert_more
from services.router.domain.handover import DueDelivery
from services.router.domain.planning import PlannedDelivery
from services.router.domain.reserving import Stored
from services.router.ports import Members

_SQL = load(Path(__file__).with_name("expansions.sql"))


class PostgresPage:
    """Implements services.router.ports.Page."""

    def __init__(
        self,
        connection: Connection,
        row: asyncpg.Record,
        members: Sequence[asyncpg.Record],
        *,
        last: bool,
        grace: timedelta,
    ) -> None:
        self._connection, self._row, self._last, self._grace = connection, row, last, grace
        self._members = Members(
            tenant=row["tenant"],
            notification=row["notification"],
            event=row["event"],
            type=row["type"],
            name=row["name"],
            catalogue_version=row["catalogue_version"],
            severity=row["severity"],
            urgency=row["urgency"],
            expires_at=row["expires_at"],
            as_of=row["as_of"],
            digest_key=row["digest_key"],
            named=row["named"],
            channels=tuple(row["channels"]),
            people=[(m["user_id"], person_of(m) if m["known"] else None) for m in members],
        )

    @property
    def members(self) -> Members:
        return self._members

    async def record(self, deliveries: Sequence[PlannedDelivery]) -> list[DueDelivery]:
        row, people = self._row, self._members.people
        stored = Stored(
            row["tenant"], row["notification"], row["type"], row["traceparent"], row["expires_at"], row["urgency"]
        )
        made = [(stored, delivery) for delivery in sorted(deliveries, key=lambda d: d.id)]
        count, due = await insert_more(self._connection, (stored.tenant, stored.id), made, self._grace)
        cursor = people[-1][0] if people else row["cursor"]
        await self._connection.execute(
            _SQL["advance"], row["tenant"], row["notification"], row["room"], cursor, count, self._last
        )
        return due


class PostgresExpansions:
    """Implements services.router.ports.Expansions. `grace` as for the ledger."""

    def __init__(self, pool: asyncpg.Pool, grace: timedelta) -> None:
        self._pool, self._grace = pool, grace

    @asynccontextmanager
    async def next_page(self, after_tenant: str, size: int) -> AsyncIterator[PostgresPage | None]:
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["next"], after_tenant)
            if row is None and after_tenant:
                row = await connection.fetchrow(_SQL["next"], "")
            if row is None:
                yield None
                return
            members = await connection.fetch(
                _SQL["members"], row["tenant"], row["room"], row["cursor"], row["as_of"], size, row["excluded"]
            )
            yield PostgresPage(connection, row, members, last=len(members) < size, grace=self._grace)
