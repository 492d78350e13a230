"""A pool of connections that act as one service's role."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

#: A connection, from a pool or by itself.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

Role = Literal["carillon_ingest", "carillon_router", "carillon_gateway", "carillon_delivery", "carillon_operator"]


async def create_pool(dsn: str, role: Role, *, min_size: int = 1, max_size: int = 8, **server: str) -> asyncpg.Pool:
    """A pool whose every connection has taken `role`: the login user only needs to be a member of it.

    A transaction left open by a process that vanished is ended by the server after ten seconds, so that its locks
    cannot hold up the others for longer. Leave no state in a session (settings only with `set_config(…, true)`, locks
    only of the transaction): a connection is given back without the usual round trip that would clear it.
    """
    settings: dict[str, Any] = {
        "role": role,
        "application_name": role,
        "jit": "off",
        "idle_in_transaction_session_timeout": "10s",
        "statement_timeout": "30s",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
    } | server
    return await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        timeout=5,
        command_timeout=35,
        server_settings=settings,
        reset=_nothing_to_clear,
    )


async def _nothing_to_clear(_connection: Connection) -> None:
    """asyncpg itself ends a transaction that is still open."""
