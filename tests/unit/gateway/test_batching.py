"""What many ask for within a moment is asked for once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from services.gateway.errors import Retryable
from services.gateway.handlers.batching import Batcher

pytestmark = pytest.mark.covers("F1-6")


class Store:
    """Notes what is asked for together. It answers when `gate` is open."""

    def __init__(self) -> None:
        self.asked: list[Sequence[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None
        self.poison: int | None = None

    async def load(self, keys: Sequence[int]) -> Mapping[int, int]:
        """The square of each key but 0, which has none."""
        self.asked.append(keys)
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        if self.poison in keys:
            raise ValueError(self.poison)
        return {key: key * key for key in keys if key}


@pytest.fixture
def store() -> Store:
    return Store()


async def test_all_callers_of_a_moment_share_a_load(store: Store) -> None:
    batcher = Batcher(store.load, 0)
    first, second = await asyncio.gather(batcher.get([1, 2]), batcher.get([2, 3]))
    assert store.asked == [[1, 2, 3]]
    assert (first[1], second[3]) == (1, 9)


async def test_a_key_without_a_value_is_missing(store: Store) -> None:
    assert 0 not in await Batcher(store.load, 0).get([0])


async def test_what_is_asked_for_meanwhile_is_the_next_batch(store: Store) -> None:
    batcher = Batcher(store.load, 0)
    store.gate.clear()
    first = asyncio.create_task(batcher.get([1]))
    while not store.asked:
        await asyncio.sleep(0)
    others = [asyncio.create_task(batcher.get([key])) for key in (1, 2)]
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(first, *others)
    assert store.asked == [[1], [1, 2]]


async def test_every_caller_hears_of_a_fault_and_the_next_is_served(store: Store) -> None:
    batcher = Batcher(store.load, 0)
    fault = store.fault = RuntimeError("away")
    faults = await asyncio.gather(batcher.get([1]), batcher.get([2]), return_exceptions=True)
    assert list(faults) == [fault, fault]
    store.fault = None
    assert (await batcher.get([3]))[3] == 9


async def test_what_one_caller_spoils_the_others_get_all_the_same(store: Store) -> None:
    batcher = Batcher(store.load, 0)
    store.poison = 2
    first, bad, last = await asyncio.gather(*(batcher.get([key]) for key in (1, 2, 3)), return_exceptions=True)
    assert (first, last) == ({1: 1}, {3: 9})
    assert isinstance(bad, ValueError)


async def test_a_neighbour_that_is_away_is_not_asked_for_each_caller(store: Store) -> None:
    batcher = Batcher(store.load, 0)
    store.fault = Retryable("away")
    await asyncio.gather(batcher.get([1]), batcher.get([2]), return_exceptions=True)
    assert store.asked == [[1, 2]]


async def test_a_caller_that_has_gone_disturbs_nobody(store: Store) -> None:
    batcher = Batcher(store.load, 0)
    store.gate.clear()
    gone, stays = asyncio.create_task(batcher.get([1])), asyncio.create_task(batcher.get([2]))
    while not store.asked:
        await asyncio.sleep(0)
    gone.cancel()
    store.gate.set()
    assert (await stays)[2] == 4
    assert gone.cancelled()
