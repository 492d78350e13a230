"""A stack on which nothing runs yet: the schema is there, and the router is started by who measures it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from devstack.layout import Layout, counts
from devstack.stack import Stack


@asynccontextmanager
async def router_alone(content: str) -> AsyncIterator[tuple[Stack, asyncpg.Connection]]:
    """The stack and a connection to its database, in which the statements of `content` have been executed."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), Layout(counts=counts(ingests=0, gateways=0, deliveries=0)))
        try:
            await asyncio.to_thread(stack.start_stores)
            await asyncio.to_thread(stack.services.prepare)
            connection = await asyncpg.connect(stack.neighbours.postgres_dsn)
            await connection.execute(content)
            yield stack, connection
            await connection.close()
        finally:
            await asyncio.to_thread(stack.kill)
