"""Connections of the gateway's role; a fault that passes by itself becomes Retryable."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg

from libs.postgres.faults import is_passing
from libs.postgres.pool import Connection
from services.gateway.errors import Retryable

_ACQUIRE_TIMEOUT = 5.0


_AS_READER = """
select set_config('carillon.tenant', $1, true), set_config('carillon.reader', $2, true),
  set_config('plan_cache_mode', $3, true)
"""


class Database:
    """The pool. Statements across tenants go through functions; what a person reads goes through `as_reader`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def fault(self) -> str | None:
        """What is wrong with the database, or None: a readiness check."""
        try:
            await self.fetch("select 1", timeout=2)
        except Retryable as error:
            return str(error)
        return None

    async def fetch(self, statement: str, *arguments: Any, timeout: float | None = None) -> list[asyncpg.Record]:
        """The rows of one statement."""
        async with self.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments, timeout=timeout)
            return rows

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for the time of the block."""
        with _faults():
            async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT) as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def as_reader(self, tenant: str, reader: str, *, replan: bool = True) -> AsyncIterator[Connection]:
        """A transaction in which row-level security shows what this reader of this tenant may see, and no more.

        The inbox's statements have many optional filters and a limit: only a plan for the values at hand stops early.
        Without `replan` a statement is planned once; that saves a millisecond where the values make no difference.
        """
        async with self.connection() as connection, connection.transaction():
            mode = "force_custom_plan" if replan else "force_generic_plan"
            await connection.execute(_AS_READER, tenant, reader, mode)
            yield connection


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_passing(error):
            raise Retryable(f"PostgreSQL: {type(error).__name__}") from error
        raise
