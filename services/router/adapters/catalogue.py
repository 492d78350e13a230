"""The shipped catalogue, kept in PostgreSQL: what was planned by it can be explained when a newer one is shipped."""

from __future__ import annotations

import asyncpg
import orjson

from libs.catalogue.catalogue import Catalogue

_KEEP = "insert into catalogue_releases (version, types) values ($1, $2::jsonb) on conflict (version) do nothing"


async def keep_release(pool: asyncpg.Pool, shipped: Catalogue) -> None:
    """Writes it down once."""
    types = [entry.model_dump(mode="json", by_alias=True, exclude_unset=True) for entry in shipped.types]
    await pool.execute(_KEEP, shipped.version, orjson.dumps(types).decode())
