"""PostgreSQL's faults as ingest reacts to them, and how long it waits for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from libs.postgres.faults import is_data_fault, is_passing
from services.ingest.errors import Retryable, Unstorable

Connection = Any  # a connection, or the pool's proxy of one


@asynccontextmanager
async def connected(pool: asyncpg.Pool, seconds: float) -> AsyncIterator[Connection]:
    """A connection for the block, which may take `seconds`.

    Raises Retryable when PostgreSQL is away or too slow,
    Unstorable when a value is at fault.
    """
    try:
        async with asyncio.timeout(seconds), pool.acquire() as connection:
            yield connection
    except Exception as error:
        if is_passing(error):
            raise Retryable(f"PostgreSQL: {type(error).__name__}: {error}") from error
        if is_data_fault(error):
            raise Unstorable(
                f"PostgreSQL refuses it: {type(error).__name__}"
            ) from error  # its words may hold the value
        raise
