"""Collects what many callers ask for within a few milliseconds, and asks once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Batcher(Generic[K, V]):
    """`load` is given the keys of one batch and returns their values; a key that it leaves out raises KeyError.

    One load runs at a time. What is asked for meanwhile forms the next batch.
    """

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], wait: float) -> None:
        self._load, self._wait = load, wait
        self._asked: dict[K, asyncio.Future[V]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V:
        """The value. Raises what `load` raises."""
        future = self._asked.get(key)
        if future is None:
            future = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await asyncio.shield(future)

    async def _run(self) -> None:
        try:
            while self._asked:
                await asyncio.sleep(self._wait)
                batch, self._asked = self._asked, {}
                await self._answer(batch)
        finally:
            self._task = None

    async def _answer(self, batch: dict[K, asyncio.Future[V]]) -> None:
        try:
            values = await self._load(list(batch))
        except Exception as error:  # noqa: BLE001 - it is raised again in every caller
            for future in batch.values():
                _fail(future, error)
            return
        for key, future in batch.items():
            if key in values:
                future.set_result(values[key])
            else:
                _fail(future, KeyError(key))


def _fail(future: asyncio.Future[V], error: Exception) -> None:
    future.set_exception(error)
    future.exception()  # marks it as seen: every caller may have gone
