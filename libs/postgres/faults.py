"""What a PostgreSQL error asks for: wait and repeat, or set the data aside."""

from __future__ import annotations

import asyncpg
from asyncpg import exceptions as pg

# Connection, shutdown, out of resources, serialization, deadlock, lock and statement time-outs, read-only standby.
_PASSING_CLASSES = frozenset({"08", "40", "53", "55", "57", "58"})
_PASSING_STATES = frozenset({"25006", "25P03"})
# Data exception, integrity violation, program limit: the values themselves are at fault.
_DATA_CLASSES = frozenset({"22", "23", "54"})


def is_passing(error: BaseException) -> bool:
    """Whether the same statement may succeed later."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state[:2] in _PASSING_CLASSES or state in _PASSING_STATES
    if isinstance(error, asyncpg.InternalClientError):
        # A connection that the server is ending, between its last words and the end of the stream.
        return str(error).startswith("cannot switch to state")
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, pg.DataError) and "closed" in str(error)
    return isinstance(error, ConnectionError | TimeoutError | OSError)


def is_data_fault(error: BaseException) -> bool:
    """Whether a value in the statement is at fault, so that repeating it fails again."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _DATA_CLASSES
    return isinstance(error, pg.DataError)
