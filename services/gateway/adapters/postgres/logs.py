"""The logs of rooms and readers in PostgreSQL, read for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from libs.postgres.queries import load
from libs.sealing.values import About
from libs.sealing.vault import Vault, closed
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.rows import room_entry, state_entry
from services.gateway.domain.logs import Entry, Head, LogKey, Stretch, state_of
from services.gateway.ports import Person, Place

_SQL = load(Path(__file__).with_suffix(".sql"))
_AT_ONCE = 5_000  # pairs in one statement


class PostgresLogs:
    """See ports.Logs."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def begin(self, keys: Iterable[LogKey]) -> dict[LogKey, Head]:
        """See ports.Logs."""
        return await self._heads(_SQL["begin"], keys)

    async def heads(self, keys: Iterable[LogKey]) -> dict[LogKey, Head]:
        """See ports.Logs."""
        return await self._heads(_SQL["heads"], keys)

    async def moved(self, known: Mapping[LogKey, Head]) -> dict[LogKey, Head]:
        """See ports.Logs."""
        return await self._heads(_SQL["moved"], known, known)

    async def _heads(
        self, statement: str, keys: Iterable[LogKey], known: Mapping[LogKey, Head] | None = None
    ) -> dict[LogKey, Head]:
        """Heads by a statement that is given what is known of them behind their names."""
        found: dict[LogKey, Head] = {}
        for part in _parts(list(keys)):
            rooms, states = _apart(part)
            names, readers = [key.name for key in rooms], [key.reader for key in states]
            tenants = [key.tenant for key in rooms], [key.tenant for key in states]
            more: list[list[int]] = []
            if known is not None:
                more = [[known[key][column] for key in kind] for kind in (rooms, states) for column in (0, 1)]
            for tenant, room, reader, epoch, seq in await self._database.fetch(
                statement, tenants[0], names, tenants[1], readers, *more
            ):
                found[LogKey(tenant, room or state_of(reader))] = Head(epoch, seq)
        return found

    async def entries(self, wanted: Mapping[LogKey, Stretch], limit: int) -> dict[LogKey, list[Entry]]:
        """See ports.Logs."""
        rooms, states = _apart(wanted)
        found: dict[LogKey, list[Entry]] = {}
        if rooms:
            rows = await self._stretches(_SQL["entries"], rooms, [k.name for k in rooms], wanted, limit)
            opened = await self._opened(rows)
            for row in rows:
                found.setdefault(LogKey(row["tenant"], row["room"]), []).append(room_entry(row, opened))
        if states:
            rows = await self._stretches(_SQL["states"], states, [k.reader or "" for k in states], wanted, limit)
            for row in rows:
                found.setdefault(LogKey(row["tenant"], state_of(row["reader"])), []).append(state_entry(row))
        return found

    async def _stretches(
        self, statement: str, keys: list[LogKey], names: list[str], wanted: Mapping[LogKey, Stretch], limit: int
    ) -> list[asyncpg.Record]:
        after, until = [wanted[k].after for k in keys], [wanted[k].until for k in keys]
        return await self._database.fetch(statement, [k.tenant for k in keys], names, after, until, limit)

    async def newest(self, person: Person, wanted: Mapping[str, Stretch], limit: int) -> dict[str, list[Entry]]:
        """See ports.Logs."""
        after, until = [s.after for s in wanted.values()], [s.until for s in wanted.values()]
        rows = await self._database.fetch(_SQL["newest"], *person, list(wanted), after, until, limit)
        opened = await self._opened(rows)
        found: dict[str, list[Entry]] = {}
        for row in sorted(rows, key=lambda row: row["seq"]):
            found.setdefault(row["room"], []).append(room_entry(row, opened))
        return found

    async def _opened(self, rows: Sequence[asyncpg.Record]) -> dict[About, dict[str, Any]]:
        return await self._vault.open(self._database.fetch, closed(rows))

    async def delivered(self, seqs: Mapping[tuple[Person, str], int]) -> None:
        """See ports.Logs."""
        people, rooms = [person for person, _ in seqs], [room for _, room in seqs]
        tenants, readers = [tenant for tenant, _ in people], [reader for _, reader in people]
        await self._database.fetch(_SQL["delivered"], tenants, readers, rooms, list(seqs.values()))

    async def acknowledged(self, places: Iterable[Place]) -> None:
        """See ports.Logs."""
        await self._database.fetch(_SQL["acknowledged"], *_columns(places))

    async def unacknowledged(self, places: Iterable[Place]) -> set[Place]:
        """See ports.Logs."""
        rows = await self._database.fetch(_SQL["unacknowledged"], *_columns(places))
        return {((row["tenant"], row["reader"]), row["room"], row["seq"]) for row in rows}


def _columns(places: Iterable[Place]) -> tuple[list[str], list[str], list[str], list[int]]:
    listed = list(places)
    tenants, readers = [tenant for (tenant, _), _, _ in listed], [reader for (_, reader), _, _ in listed]
    return tenants, readers, [room for _, room, _ in listed], [seq for _, _, seq in listed]


def _apart(keys: Iterable[LogKey]) -> tuple[list[LogKey], list[LogKey]]:
    rooms: list[LogKey] = []
    states: list[LogKey] = []
    for key in keys:
        (rooms if key.reader is None else states).append(key)
    return rooms, states


def _parts(keys: Sequence[LogKey]) -> Iterable[Sequence[LogKey]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
