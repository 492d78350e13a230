"""API keys in PostgreSQL, remembered for seconds."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from libs.auth.api_keys import matches
from libs.postgres import queries
from libs.runtime.clock import utc_now
from services.ingest.adapters.faults import connected
from services.ingest.domain.access import Principal, key_principal
from services.ingest.errors import Retryable

_SQL = queries.load(Path(__file__).with_suffix(".sql"))
_SECONDS = 3.0
_FRESH = 5.0  # a revoked key is refused after at most this many seconds
_STALE = 300.0  # while PostgreSQL is away, keys seen this recently still publish: Kafka alone carries events
_MAX_REMEMBERED = 10_000


class _Key(NamedTuple):
    principal: Principal
    hash: bytes
    expires_at: datetime | None


class _Remembered(NamedTuple):
    key: _Key | None
    at: float


class PostgresKeys:
    """services.ingest.ports.Keys."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    async def principal(self, key_id: str, secret: str) -> Principal | None:
        """Who holds the key; None when it does not exist, has ended, or the secret is wrong."""
        key = await self._key(key_id)
        if key is None or not matches(secret, key.hash):
            return None
        return None if key.expires_at is not None and key.expires_at <= utc_now() else key.principal

    async def _key(self, key_id: str) -> _Key | None:
        known, now = self._remembered.get(key_id), time.monotonic()
        if known is not None and now - known.at < _FRESH:
            return known.key
        try:
            async with connected(self._pool, _SECONDS) as connection:
                row = await connection.fetchrow(_SQL["find"], key_id)
        except Retryable:
            if known is not None and known.key is not None and now - known.at < _STALE:
                return known.key
            raise
        key = None if row is None else _from_row(row)
        self._remembered.pop(key_id, None)
        self._remembered[key_id] = _Remembered(key, now)
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return key


def _from_row(row: Any) -> _Key:
    principal = key_principal(row["key_id"], row["tenant"], frozenset(row["scopes"]), frozenset(row["tenants"]))
    return _Key(principal, row["hash"], row["expires_at"])
