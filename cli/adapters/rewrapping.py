"""Wraps data keys by another master key, in PostgreSQL, a page in a transaction: it may end between any two."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg

from cli.adapters.database import operator
from libs.postgres.queries import load
from libs.sealing.masters import Masters, Unknown
from libs.sealing.values import Tampered

_SQL = load(Path(__file__).with_suffix(".sql"))
_PAGE = 500


@dataclass
class Rewrapped:
    """How many data keys were wrapped anew, and by master key those that could not be opened."""

    done: int = 0
    left: Counter[str] = field(default_factory=Counter)


async def rewrap(dsn: str, masters: Masters) -> Rewrapped:
    """Wraps by the first of the master keys what another wraps. Raises asyncpg.PostgresError."""
    found, tenant, last = Rewrapped(), "", UUID(int=0)
    async with operator(dsn) as connection:
        while True:
            async with connection.transaction():
                rows = await connection.fetch(_SQL["others"], masters.current, tenant, last, _PAGE)
                if not rows:
                    return found
                wrapped = [(row["tenant"], row["id"], text) for row in rows if (text := _anew(row, masters, found))]
                if wrapped:
                    await connection.execute(_SQL["rewrap"], masters.current, *zip(*wrapped, strict=True))
            found.done += len(wrapped)
            tenant, last = rows[-1]["tenant"], rows[-1]["id"]


def _anew(row: asyncpg.Record, masters: Masters, found: Rewrapped) -> bytes | None:
    whose = row["tenant"], row["user_id"]
    try:
        return masters.wrap(masters.unwrap(row["master"], row["wrapped"], row["id"], *whose), *whose)
    except (Unknown, Tampered):
        found.left[row["master"]] += 1
        return None
