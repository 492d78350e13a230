"""Events for everybody in every tenant, in memory: the steps of services.router.adapters.broadcasts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from services.router.domain.broadcasting import Broadcast, id_in, told_in
from services.router.domain.handover import Publication
from services.router.domain.notification import Key
from services.router.ports import Later
from tests.simulation.catalogue import TENANTS
from tests.simulation.database import Transaction
from tests.simulation.world import Process

PAGE = 2


@dataclass(frozen=True, slots=True)
class Telling:
    """A row of `broadcasts`."""

    broadcast: Broadcast
    cursor: str = ""
    reached: str | None = None
    done: bool = False

    def next_tenants(self) -> list[str]:
        """The next page of those that are to be told, or told that it is taken back."""
        behind = [tenant for tenant in TENANTS if tenant > self.cursor]
        return [tenant for tenant in behind if self.reached is None or tenant <= self.reached][:PAGE]


async def begin(transaction: Transaction, broadcasts: Sequence[Broadcast]) -> set[Later]:
    """Those that were not there yet. One that was cancelled before it came is told nobody."""
    taken = set[Later]()
    for one in sorted(broadcasts, key=lambda broadcast: broadcast.key):
        await transaction.lock("broadcasts", [one.key])
        if transaction.get("broadcasts", one.key) is None:
            row = Telling(one)
            if one.key in transaction.all("cancellations"):
                row = replace(row, reached="", done=True)
            transaction.put("broadcasts", one.key, row)
            taken.add((Broadcast, one.key))
    return taken


@asynccontextmanager
async def page(process: Process) -> AsyncIterator[Sequence[Publication]]:
    """What the next tenants of the first open broadcast are told; it counts as told when the block ends."""
    async with process.world.database.transaction() as transaction:
        rows = sorted(transaction.all("broadcasts").items(), key=lambda item: item[0])
        open_ = (key for key, row in rows if not row.done and transaction.try_lock("broadcasts", key))
        key = next(open_, None)
        if key is None:
            yield ()
            return
        row: Telling = transaction.get("broadcasts", key)
        tenants = row.next_tenants()
        if row.reached is None:
            received = row.broadcast.received
            told = (told_in(tenant, received.event) for tenant in tenants)
            yield [Publication(received.event.event, b"key", value, received.traceparent) for value in told]
        else:
            for told_of in [(tenant, id_in(tenant, *key)) for tenant in tenants]:
                if told_of not in transaction.all("cancellations"):
                    transaction.put("cancellations", told_of, process.world.now())
            yield ()
        await process.effect("commit tenants")
        cursor = tenants[-1] if tenants else row.cursor
        transaction.put("broadcasts", key, replace(row, cursor=cursor, done=len(tenants) < PAGE))
    await process.effect("tenants committed")


async def recall(transaction: Transaction, key: Key) -> bool:
    """Begins to take a broadcast back; whether there was one to take back."""
    await transaction.lock("broadcasts", [key])
    row: Telling | None = transaction.get("broadcasts", key)
    if row is None or row.reached is not None:
        return False
    # A page may have been told by a router that died before it could say so.
    reached = max(row.next_tenants(), default=row.cursor)
    transaction.put("broadcasts", key, replace(row, reached=reached, cursor="", done=False))
    return True
