"""Reads what the audit judges: one snapshot of PostgreSQL, and the end offsets after it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import asyncpg

from cli.adapters import database, offsets
from cli.domain.accounting import Check, Difference, ProgressRow
from cli.domain.audit_report import Snapshot, Working
from cli.domain.doors import INGEST, ROUTER, Written
from libs.kafka.cluster import cluster_id
from libs.postgres.queries import load
from libs.schemas import topics

_SQL = load(Path(__file__).with_name("audit.sql"))

#: The checks that one statement each makes by itself: name, promise, what `examined` counts.
_IN_DATABASE = (
    ("room_logs", "room logs are gap-free and end at their heads", "rooms"),
    ("state_logs", "state logs are gap-free and end at their heads", "people"),
    ("decisions", "every notification has the decisions it planned", "notifications"),
    ("deliveries", "every planned delivery is terminal, due, claimed or collected", "deliveries"),
    ("digests", "every digest has its items, and once closed its delivery", "digests"),
)


async def read(dsn: str, bootstrap: str, prefix: str, limit: int) -> Snapshot:
    """Takes the snapshot. At most `limit` examples of each check are read, so memory is bounded."""
    async with database.operator(dsn) as connection, database.snapshot(connection):
        at = await connection.fetchval("select now()")
        progress, working = await _progress(connection), await _working(connection)
        written = tuple(Written(**row) for row in await connection.fetch(_SQL["written"]))
        checks = await _checks(connection, limit)
    return await _with_ends(Snapshot(at, progress, working, written, checks), bootstrap, prefix)


async def read_work(dsn: str, bootstrap: str, prefix: str) -> Snapshot:
    """The cheap part alone: what is in flight, without looking at any notification."""
    async with database.operator(dsn) as connection, database.snapshot(connection):
        at = await connection.fetchval("select now()")
        progress, working = await _progress(connection), await _working(connection)
    return await _with_ends(Snapshot(at, progress, working), bootstrap, prefix)


async def _with_ends(snapshot: Snapshot, bootstrap: str, prefix: str) -> Snapshot:
    # Only after the snapshot: what is appended to a topic meanwhile is in flight, never missing.
    consumers = _consumers(snapshot.progress, prefix)
    ends = await offsets.read(bootstrap, sorted(set().union(*consumers.values())))
    return replace(snapshot, consumers=consumers, ends=ends, cluster=await cluster_id(bootstrap))


async def _progress(connection: asyncpg.Connection) -> tuple[ProgressRow, ...]:
    return tuple(ProgressRow(**row) for row in await connection.fetch(_SQL["progress"]))


async def _working(connection: asyncpg.Connection) -> Working:
    rows = await connection.fetch(_SQL["working"])
    return Working(**rows[0])


async def _checks(connection: asyncpg.Connection, limit: int) -> tuple[Check, ...]:
    examined = (await connection.fetch(_SQL["examined"]))[0]
    found = []
    for name, promise, counted in _IN_DATABASE:
        rows = await connection.fetch(_SQL[name], limit)
        examples = tuple(Difference(row["subject"], row["detail"], int(row["amount"])) for row in rows)
        found.append(Check(name, promise, examined[counted], int(rows[0]["total"]) if rows else 0, examples))
    return tuple(found)


def _consumers(progress: tuple[ProgressRow, ...], prefix: str) -> dict[str, set[str]]:
    lanes = (*topics.TYPED.values(), *topics.BULK.values())
    reading = {INGEST: {prefix + topics.NOTI.name}, ROUTER: {prefix + topic.name for topic in lanes}}
    for row in progress:
        reading.setdefault(row.consumer, set()).add(row.topic)
    return reading
