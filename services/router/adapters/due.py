"""Work whose time comes without an event, in PostgreSQL: scheduled events, digests, requests to cancel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg

from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.rules.person import person_of
from libs.sealing.vault import Vault
from services.router.adapters import broadcasts, sealing, withdrawals
from services.router.adapters.room_logs import append
from services.router.domain.closing import Closed, close
from services.router.domain.handover import DueDelivery, Publication
from services.router.domain.notification import Key, RoomPlace
from services.router.domain.withdrawing import Withdrawn
from services.router.ports import Look

_SQL = load(Path(__file__).with_suffix(".sql"))
_TIDY = 1_000  # rows at a time
_FORGET_COLLAPSED = timedelta(days=30)
_FORGET_CANCELLED = timedelta(days=7)  # longer than Kafka keeps what might still come


class PostgresDue:
    """Implements services.router.ports.DueWork. `grace` as for the ledger."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault, grace: timedelta) -> None:
        self._pool, self._vault, self._grace = pool, vault, grace

    async def look(self) -> Look:
        row = await self._pool.fetchrow(_SQL["look"])
        assert row is not None  # it asks whether, so it always has a row
        return Look(**row)

    @asynccontextmanager
    async def scheduled(
        self, per_tenant: int, limit: int, after: str
    ) -> AsyncIterator[Sequence[tuple[str, Publication]]]:
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_SQL["scheduled"], per_tenant, limit, after)
            records = await sealing.opened_records(self._vault, connection.fetch, rows)
            yield [
                (row["tenant"], Publication(row["event"], row["key"], record, row["traceparent"]))
                for row, record in zip(rows, records, strict=True)
            ]
            await connection.execute(_SQL["handed_on"], *_columns([(row["tenant"], row["id"]) for row in rows]))

    @asynccontextmanager
    async def broadcast(self, size: int) -> AsyncIterator[Sequence[Publication]]:
        async with (
            self._pool.acquire() as connection,
            connection.transaction(),
            broadcasts.page(connection, self._vault, size) as publications,
        ):
            yield publications

    async def close_digests(self, per_tenant: int, limit: int, after: str) -> tuple[str, list[DueDelivery]]:
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_SQL["digests"], per_tenant, limit, after)
            ended, postponed, due = [], [], []
            for row in rows:
                known = person_of(row) if row["known"] else None
                found = close(known, row["channel"], row["left"], row["now"])
                if not isinstance(found, Closed):
                    postponed.append((row["tenant"], row["id"], found.until))
                    continue
                ended.append((row["tenant"], row["id"], found.state, found.reason))
                if found.state == "planned":
                    due.append(DueDelivery(row["tenant"], row["id"], row["channel"]))
            if ended:
                await connection.execute(_SQL["close"], *zip(*sorted(ended), strict=True), self._grace)
            if postponed:
                await connection.execute(_SQL["postpone"], *zip(*sorted(postponed), strict=True))
            return rows[-1]["tenant"] if len(rows) >= limit else "", due

    async def cancel(self, limit: int) -> list[tuple[Withdrawn, tuple[RoomPlace, ...]]]:
        async with self._pool.acquire() as connection, connection.transaction():
            requests = await connection.fetch(_SQL["cancellations"], limit)
            asked = sorted((row["tenant"], row["id"]) for row in requests)
            if not asked:
                return []
            await connection.execute(_SQL["end_waiting"], *_columns(asked))
            rows = await connection.fetch(_SQL["to_cancel"], *_columns(asked))
            by = {(row["tenant"], row["id"]): row["requested_by"] for row in requests}
            await self._forbid(connection, by, rows)
            found = {(row["tenant"], row["request"]) for row in rows}
            found |= await broadcasts.recall(connection, [(*key, by[key]) for key in asked])
            await connection.execute(_SQL["done"], *_columns(sorted(found)))
            await connection.execute(_SQL["later"], *_columns(sorted(set(asked) - found)))
            there = [row for row in rows if row["rooms"] is not None and not row["cancelled"]]
            return await self._withdraw(connection, there)

    async def _forbid(self, connection: Connection, by: Mapping[Key, str], rows: Sequence[asyncpg.Record]) -> None:
        coming = [
            (row["tenant"], row["id"], by[row["tenant"], row["request"]])
            for row in rows
            if row["part"] == "handed-on" and row["rooms"] is None and row["id"] != row["request"]
        ]
        if coming:
            await withdrawals.forbid(connection, coming)

    async def _withdraw(
        self, connection: Connection, rows: Sequence[asyncpg.Record]
    ) -> list[tuple[Withdrawn, tuple[RoomPlace, ...]]]:
        if not rows:
            return []
        gone = [Withdrawn(row["tenant"], row["id"], "cancelled", tuple(row["rooms"])) for row in rows]
        keys = [one.key for one in gone]
        await withdrawals.stop(connection, keys, "cancelled")
        await withdrawals.mark(connection, keys)
        places = dict(zip(keys, [place for _, place in await append(connection, gone)], strict=True))
        return [(one, places[one.key]) for one in gone]

    async def tidy(self) -> None:
        await self._pool.execute(_SQL["tidy_throttles"], _TIDY)
        await self._pool.execute(_SQL["tidy_collapse_keys"], _TIDY, _FORGET_COLLAPSED)
        await self._pool.execute(_SQL["tidy_cancellations"], _TIDY, _FORGET_CANCELLED)


def _columns(keys: Sequence[Key]) -> tuple[list[object], list[object]]:
    return [tenant for tenant, _ in keys], [id_ for _, id_ in keys]
