"""The audit trail: who changed what, written in the transaction that changed it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from libs.postgres import queries

_SQL = queries.load(Path(__file__).with_name("directory.sql"))


class Entry(NamedTuple):
    """One line of the trail. `detail` holds no secret and no content."""

    tenant: str
    action: str
    subject: str
    detail: dict[str, Any] = {}  # noqa: RUF012 - a default that nobody changes


async def write(connection: Any, actor: str, entries: Sequence[Entry]) -> None:
    """Writes the entries in one statement."""
    await connection.execute(
        _SQL["audit"],
        [entry.tenant for entry in entries],
        actor,
        [entry.action for entry in entries],
        [entry.subject for entry in entries],
        [orjson.dumps(entry.detail).decode() for entry in entries],
    )
