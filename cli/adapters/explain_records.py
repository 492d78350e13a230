"""Reads everything that is recorded about one notification, in one snapshot."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from cli.adapters import database
from cli.domain.explanation import SHOWN, Entry, Expanding, Facts, Interval, explain
from cli.domain.story import Row, Story, state_of
from cli.outcome import Refused
from libs.catalogue.feed import as_of
from libs.postgres.queries import load as queries
from libs.rules.person import Person, preferences, tenant_preferences
from libs.runtime.settings import ChannelSettings, load

_SQL = queries(Path(__file__).with_name("explain.sql"))
_JSON = ("metadata", "extras", "audience", "source")


async def read(dsn: str, notification: UUID, tenant: str | None, reader: str | None, limit: int) -> Story:
    """The story; at most `limit` deliveries. Raises Refused when there is no such notification, or several."""
    async with database.operator(dsn) as connection, database.snapshot(connection):
        story = await _recorded(connection, await _find(connection, notification, tenant), reader, limit)
        return story if reader is None else await _about(connection, story, reader)


async def _find(connection: asyncpg.Connection, notification: UUID, tenant: str | None) -> dict[str, Any]:
    rows = await connection.fetch(_SQL["find"], notification, tenant)
    if not rows:
        where = f" in tenant {tenant}" if tenant else ""
        raise Refused(f"there is no notification {notification}{where}: not routed yet, refused, or never published")
    if len(rows) > 1:
        raise Refused(f"several tenants have it: choose one by --tenant: {', '.join(row['tenant'] for row in rows)}")
    return {name: orjson.loads(value) if name in _JSON and value else value for name, value in rows[0].items()}


async def _recorded(connection: asyncpg.Connection, found: Row, reader: str | None, limit: int) -> Story:
    key = found["tenant"], found["id"]
    deliveries = await _rows(connection, "deliveries", *key, reader, limit)
    attempts: dict[UUID, list[Row]] = defaultdict(list)
    for attempt in await _rows(connection, "attempts", key[0], [row["id"] for row in deliveries]):
        attempts[attempt["delivery"]].append(attempt)
    return Story(
        notification=found,
        entries=await _rows(connection, "entries", *key, found["rooms"]),
        expansions=await _rows(connection, "expansions", *key),
        totals=await _rows(connection, "totals", *key),
        deliveries=deliveries,
        attempts=attempts,
    )


async def _about(connection: asyncpg.Connection, story: Story, reader: str) -> Story:
    facts = await _facts(connection, story, reader)
    answers = explain(facts, story.deliveries)
    shown = next((e for e in facts.entries if any(a.where == e.room and a.state == SHOWN for a in answers)), None)
    state = None
    if shown is not None:
        found = story.notification
        rows = await _rows(connection, "state", found["tenant"], reader, found["id"], shown.room)
        state = state_of(rows[0], shown.seq)
    return replace(story, reader=reader, answers=tuple(answers), state=state)


async def _facts(connection: asyncpg.Connection, story: Story, reader: str) -> Facts:
    found = story.notification
    addressed = tuple(found["rooms"]) or tuple(found["audience"].get("rooms", ()))
    intervals = await _rows(connection, "intervals", found["tenant"], reader, list(addressed))
    catalogue = await as_of(connection.fetch, found["tenant"], found["catalogue_version"])
    return Facts(
        reader=reader,
        planned_at=found["planned_at"],
        entries=tuple(Entry(row["room"], row["seq"]) for row in story.entries),
        addressed=addressed,
        named=tuple(found["extras"].get("channels") or ()),
        kind=catalogue.get(found["type"]),
        intervals=tuple(Interval(**row) for row in intervals),
        expansions=tuple(_expanding(row) for row in story.expansions),
        person=await _person(connection, found, reader),
        deliverable=frozenset(load(ChannelSettings).channels),
        severity=found["severity"],
        expires_at=found["expires_at"],
    )


def _expanding(row: Row) -> Expanding:
    return Expanding(row["room"], tuple(row["channels"]), row["as_of"], row["cursor"], row["done_at"] is not None)


async def _person(connection: asyncpg.Connection, found: Row, reader: str) -> Person | None:
    row = await connection.fetchrow(_SQL["person"], found["tenant"], reader, found["planned_at"])
    if row is None:
        return None
    addresses = {"email": row["email"], "sms": row["phone"], "push": "devices" if row["devices"] else None}
    return Person(
        {channel: address for channel, address in addresses.items() if address},
        preferences(row["document"]),
        suppressed=frozenset(row["suppressed"]),
        tenant=tenant_preferences(row["of_tenant"]),
        time_zone=row["timezone"],
    )


async def _rows(connection: asyncpg.Connection, name: str, *arguments: object) -> tuple[dict[str, Any], ...]:
    return tuple(dict(row) for row in await connection.fetch(_SQL[name], *arguments))
