"""Plans what is stored anew under another catalogue, in one snapshot that cannot write, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from cli.adapters import database
from cli.domain.preview_report import Report
from cli.domain.previewing import Both, Difference, both, differences, expands, of_members
from libs.catalogue.catalogue import Catalogue
from libs.catalogue.feed import as_of
from libs.catalogue.tenants import read_over
from libs.postgres.queries import load
from libs.rules.person import Person, person_of
from services.router.domain.audience import AudienceRules
from services.router.domain.endpoints import Endpoint

_SQL = load(Path(__file__).with_name("preview.sql"))
_JSON = ("metadata", "data", "extras", "audience")
_PAGE, _MEMBERS, _CATALOGUES = 200, 1_000, 64


@dataclass(frozen=True, slots=True)
class Span:
    """Which notifications: planned in a time, of a tenant or of all."""

    since: datetime
    until: datetime | None = None
    tenant: str | None = None


async def preview(
    dsn: str,
    span: Span,
    new: str,
    rules: AudienceRules,
    deliverable: Collection[str],
    report: Report,
    told: Callable[[Report], None],
) -> None:
    """Fills the report; `told` hears how far it is, page by page. `new` is a document of types.

    Raises libs.catalogue.reading.BadCatalogue when it cannot be laid over a catalogue, and what PostgreSQL raises.
    """
    async with database.operator(dsn) as connection, database.snapshot(connection):
        looking = _Looking(connection, new, rules, frozenset(deliverable))
        # What is wrong is refused also where nothing is stored.
        await looking.catalogues(span.tenant or "", "")
        cursor = await connection.cursor(_SQL["notifications"], span.since, span.until, span.tenant)
        while rows := await cursor.fetch(_PAGE):
            for row in rows:
                await looking.at(_decoded(row), report)
            told(report)


class _Looking:
    def __init__(
        self, connection: asyncpg.Connection, new: str, rules: AudienceRules, deliverable: frozenset[str]
    ) -> None:
        self._connection, self._new, self._rules, self._deliverable = connection, new, rules, deliverable
        self._catalogues: dict[tuple[str, str], tuple[Catalogue, Catalogue]] = {}

    async def at(self, row: dict[str, Any], report: Report) -> None:
        """Compares one notification."""
        report.looked += 1
        event = both(row, *await self.catalogues(row["tenant"], row["catalogue_version"]))
        if event is None or (not event.unchanged and event.nearness_differs):
            report.unknown += 1
        elif not event.unchanged:
            differs = False
            async for found in self._compared(event):
                differs |= report.add(event.before.key, event.event.id, found)
            report.affected += differs

    async def catalogues(self, tenant: str, version: str) -> tuple[Catalogue, Catalogue]:
        """The catalogue of that time, and the same with the new types laid over it."""
        if (tenant, version) not in self._catalogues:
            old = await as_of(self._connection.fetch, tenant, version)
            if len(self._catalogues) >= _CATALOGUES:
                self._catalogues.pop(next(iter(self._catalogues)))
            self._catalogues[tenant, version] = old, read_over(old, self._new)
        return self._catalogues[tenant, version]

    async def _compared(self, event: Both) -> AsyncIterator[Iterator[Difference]]:
        tenant, at = event.event.tenant, event.planned_at
        org = event.asked(self._rules).org
        admins = () if org is None else await self._admins(tenant, f"org:{org}", at)
        audiences = event.audiences(self._rules, admins)
        named = {user for audience in audiences for user in audience.people}
        people = {(tenant, u): p for u, p in (await self._people(tenant, sorted(named), at)).items() if p is not None}
        yield differences(*event.plans(audiences, people, self._deliverable, await self._endpoints(tenant)))
        groups = dict.fromkeys(room for audience in audiences for room in audience.groups)
        for room in groups if expands(event) else ():
            async for members in self._members(tenant, room, at, named):
                yield of_members(event, room, audiences, members, self._deliverable)

    async def _admins(self, tenant: str, room: str, at: datetime) -> tuple[str, ...]:
        roles = sorted(self._rules.alert_roles)
        rows = await self._connection.fetch(_SQL["admins"], tenant, room, roles, at, 10_000)
        return tuple(row["user_id"] for row in rows)

    async def _people(self, tenant: str, users: Sequence[str], at: datetime) -> dict[str, Person | None]:
        rows = await self._connection.fetch(_SQL["people"], tenant, users, at) if users else []
        return {row["user_id"]: person_of(row) if row["known"] else None for row in rows}

    async def _members(
        self, tenant: str, room: str, at: datetime, named: Collection[str]
    ) -> AsyncIterator[dict[str, Person | None]]:
        """Pages of a group; who is addressed in person has been told already."""
        after, excluded = "", sorted(named)
        while True:
            rows = await self._connection.fetch(_SQL["members"], tenant, room, after, at, excluded, _MEMBERS)
            if not rows:
                return
            after = rows[-1]["user_id"]
            yield await self._people(tenant, [row["user_id"] for row in rows], at)

    async def _endpoints(self, tenant: str) -> list[Endpoint]:
        return [
            Endpoint(row["endpoint_id"], row["channel"], frozenset(row["events"]), frozenset(row["types"]))
            for row in await self._connection.fetch(_SQL["endpoints"], tenant)
        ]


def _decoded(row: asyncpg.Record) -> dict[str, Any]:
    return {name: orjson.loads(value) if name in _JSON and value else value for name, value in row.items()}
