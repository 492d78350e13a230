"""Settlement: many batches in one transaction, held while the ledger is away, committed only afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import pytest

from libs.runtime.health import Progress
from services.ingest.domain.accounting import Handled, Partition
from services.ingest.errors import PositionLost, Retryable
from services.ingest.handlers import settlement as module
from services.ingest.handlers.settlement import Settlement

pytestmark = pytest.mark.covers("B7")

P: Partition = ("noti", 0)


class FakeLedger:
    """services.ingest.ports.Ledger in memory; raises what it is told to before it works."""

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.settled = list(faults), list[Mapping[Partition, Handled]]()

    async def open(self, partition: Partition, *, first: int, end: int) -> int:
        return first

    async def settle(self, batches: Mapping[Partition, Handled]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.settled.append(batches)


class Committed(list[Mapping[Partition, int]]):
    """Offsets that were committed."""

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        self.append(positions)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    monkeypatch.setattr(module, "_RETRY_AFTER", 0.0)


@asynccontextmanager
async def running(settlement: Settlement) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(settlement.run())
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_batches_that_wait_are_settled_together() -> None:
    ledger, committed = FakeLedger(), Committed()
    settlement = Settlement(ledger, committed.commit, Progress("noti", 60))
    settlement.add([Handled(P, [1, 2], frozenset())])
    settlement.add([Handled(P, [3], frozenset({3}))])
    async with running(settlement), asyncio.timeout(5):
        await settlement.done()
    assert ledger.settled == [{P: Handled(P, [1, 2, 3], frozenset({3}))}]
    assert committed == [{P: 4}]


async def test_while_the_ledger_is_away_nothing_is_committed_and_holding_is_told() -> None:
    ledger, committed, progress = FakeLedger(Retryable("away"), Retryable("away")), Committed(), Progress("noti", 60)
    settlement = Settlement(ledger, committed.commit, progress)
    settlement.add([Handled(P, list(range(30_000)), frozenset())])
    was_full = settlement.is_full
    async with running(settlement), asyncio.timeout(5):
        await settlement.done()
    assert (was_full, settlement.is_full) == (True, False)
    assert progress.held == "away"
    assert len(committed) == 1


async def test_a_ledger_that_lost_its_rows_ends_the_session() -> None:
    committed = Committed()
    settlement = Settlement(FakeLedger(PositionLost("gone")), committed.commit, Progress("noti", 60))
    settlement.add([Handled(P, [1], frozenset())])
    with pytest.raises(PositionLost):
        await asyncio.wait_for(settlement.run(), 5)
    assert committed == []
