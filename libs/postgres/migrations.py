"""Brings the schema up to date: numbered `.sql` files, applied once each, in order, under one lock."""

from __future__ import annotations

import hashlib
from pathlib import Path

import asyncpg

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_241_120_001  # any fixed number: two migrations of one database wait for each other

_LEDGER = """
create table if not exists schema_migrations (
  name text primary key, checksum text not null, applied_at timestamptz not null default now())
"""


class ChangedMigration(RuntimeError):
    """A migration that was applied has been edited since: add a new file instead."""


async def migrate(dsn: str) -> list[str]:
    """Applies what is missing and returns its names. The user must be allowed to create roles.

    Raises ChangedMigration when the text of an applied file differs.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        await connection.execute(_LEDGER)
        rows = await connection.fetch("select name, checksum from schema_migrations")
        done: dict[str, str] = {row["name"]: row["checksum"] for row in rows}
        return [path.name for path in _files() if await _apply(connection, path, done)]
    finally:
        await connection.close()


def _files() -> list[Path]:
    return sorted(FOLDER.glob("*.sql"))


async def _apply(connection: asyncpg.Connection, path: Path, done: dict[str, str]) -> bool:
    text = path.read_text()  # noqa: ASYNC240 - a few small files, before anything else runs
    checksum = hashlib.sha256(text.encode()).hexdigest()
    if path.name in done:
        if done[path.name] != checksum:
            raise ChangedMigration(f"{path.name} was changed after it was applied: add a new migration instead")
        return False
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute("insert into schema_migrations (name, checksum) values ($1, $2)", path.name, checksum)
    return True
