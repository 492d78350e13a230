"""One connection to PostgreSQL that acts as the operator."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import asyncpg

ROLE = "carillon_operator"
#: Seconds. An audit of a large system reads every row once and takes as long as that takes.
LONG = 6 * 3600.0


@contextlib.asynccontextmanager
async def operator(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that has taken the operator's role. Raises asyncpg.PostgresError or OSError."""
    settings = {"role": ROLE, "application_name": "carillon-cli", "jit": "off"}
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=LONG, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def snapshot(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Every statement in the block sees the same moment, and none can write."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield
