"""Tenants and memberships in PostgreSQL, read for many people at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from sys import intern

import asyncpg

from libs.postgres.queries import load
from services.gateway.adapters.postgres.database import Database
from services.gateway.domain.access import Interval, Memberships, Span
from services.gateway.domain.muting import Mute
from services.gateway.ports import Claim, Person

_SQL = load(Path(__file__).with_suffix(".sql"))
_EVERYBODY = ""  # the reader under whom stands what a tenant says


class PostgresDirectory:
    """See ports.Directory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def memberships(self, people: Iterable[Person]) -> dict[Person, Memberships]:
        """See ports.Directory."""
        rows: defaultdict[str, list[asyncpg.Record]] = defaultdict(list)
        for row in await self._database.fetch(_SQL["memberships"], *_columns(people)):
            rows[row["of"]].append(row)
        intervals: defaultdict[Person, list[Interval]] = defaultdict(list)
        versions: dict[Person, int] = {}
        for _, tenant, reader, version, room, joined, left, source, _, _ in rows["memberships"]:
            versions[tenant, reader] = version
            if room is not None:
                intervals[tenant, reader].append(_interval(room, joined, left, source))
        mutes = _mutes(rows["mutes"], versions)
        said = {row["tenant"]: row["version"] for row in rows["said"]}
        return {
            person: Memberships(version, tuple(intervals.get(person, ())), mutes[person], said.get(person[0], 0))
            for person, version in versions.items()
        }

    async def versions(self, people: Iterable[Person]) -> dict[Person, int]:
        """See ports.Directory."""
        rows = await self._database.fetch(_SQL["versions"], *_columns(people))
        return {(row["tenant"], row["reader"]): row["version"] for row in rows}

    async def said(self, tenants: Iterable[str]) -> dict[str, int]:
        """See ports.Directory."""
        rows = await self._database.fetch(_SQL["said"], list(tenants))
        return {row["tenant"]: row["version"] for row in rows}

    async def tenants(self, names: Iterable[str]) -> dict[str, bool]:
        """See ports.Directory."""
        return {row["tenant"]: row["enabled"] for row in await self._database.fetch(_SQL["tenants"], list(names))}

    async def open_claims(self, claims: Sequence[Claim]) -> None:
        """See ports.Directory."""
        people = _columns(person for person, _ in claims)
        await self._database.fetch(_SQL["open_claims"], *people, [room for _, room in claims])


def _mutes(rows: Iterable[asyncpg.Record], people: Collection[Person]) -> dict[Person, tuple[Mute, ...]]:
    """Thousands have chosen nothing: what is hidden from them is one object for all."""
    found: defaultdict[Person, list[Mute]] = defaultdict(list)
    for row in rows:
        of_reader = found[row["tenant"], row["reader"]]
        if row["name"] is not None:
            of_reader.append(Mute(intern(row["name"]), row["since"], row["until"]))
    mutes = {person: tuple(of_reader) for person, of_reader in found.items()}
    return {person: mutes.get(person, mutes.get((person[0], _EVERYBODY), ())) for person in people}


@lru_cache(4_096)
def _interval(room: str, joined: int, left: int | None, source: str) -> Interval:
    """Thousands have been in the same rooms for as long: one object for all."""
    return Interval(intern(room), Span(joined, left), intern(source))


def _columns(people: Iterable[Person]) -> tuple[list[str], list[str]]:
    pairs = list(people)
    return [tenant for tenant, _ in pairs], [reader for _, reader in pairs]
