"""Tables in memory with what the router relies on in PostgreSQL: atomic transactions, row locks, unique keys.

READ COMMITTED: a transaction sees what is committed and what it wrote itself. Who wants a row that another transaction
has locked waits until that ends, and then sees what it committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

Row = tuple[str, Any]  # table, key


class Database:
    """Committed rows by table and key; `commits` counts the transactions."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Any, Any]] = {}
        self.commits = 0
        self.holders: dict[Row, Transaction] = {}
        self.released = asyncio.Event()

    def table(self, name: str) -> dict[Any, Any]:
        """The committed rows of a table."""
        return self.rows.setdefault(name, {})

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits when the block ends; writes nothing when it fails, or its process dies."""
        transaction = Transaction(self)
        try:
            yield transaction
            for (table, key), value in transaction.written.items():
                self.table(table)[key] = value
            self.commits += 1
        finally:
            for row in [row for row, holder in self.holders.items() if holder is transaction]:
                del self.holders[row]
            self.released.set()
            self.released = asyncio.Event()


class Transaction:
    """What one transaction has locked and written so far."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.written: dict[Row, Any] = {}

    async def lock(self, table: str, keys: Iterable[Any]) -> None:
        """Locks rows, also such as do not exist yet, in the order that they are given in."""
        for key in keys:
            while not self.try_lock(table, key):
                await self._database.released.wait()

    def try_lock(self, table: str, key: Any) -> bool:
        """Locks a row unless another transaction has: as `skip locked`."""
        return self._database.holders.setdefault((table, key), self) is self

    def get(self, table: str, key: Any, default: Any = None) -> Any:
        """The row as this transaction sees it."""
        return self.written.get((table, key), self._database.table(table).get(key, default))

    def put(self, table: str, key: Any, value: Any) -> None:
        """Writes a row."""
        self.written[table, key] = value

    def all(self, table: str) -> dict[Any, Any]:
        """The rows of a table as this transaction sees them."""
        own = {key: value for (name, key), value in self.written.items() if name == table}
        return self._database.table(table) | own
