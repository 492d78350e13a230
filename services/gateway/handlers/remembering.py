"""Remembers for a while what was asked for; those who ask for the same at once wait for one answer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """`load` returns a value and for how many seconds it holds. At most `most` values are kept."""

    def __init__(
        self, load: Callable[[K], Awaitable[tuple[V, float]]], most: int, monotonic: Callable[[], float]
    ) -> None:
        self._load, self._most, self._monotonic = load, most, monotonic
        self._values: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._loading: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """The value. Raises what `load` raises; that is not remembered."""
        found = self._values.get(key)
        if found is not None and self._monotonic() < found[1]:
            return found[0]
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.create_task(self._fetch(key))
            task.add_done_callback(_seen)
        return await asyncio.shield(task)

    async def _fetch(self, key: K) -> V:
        try:
            value, seconds = await self._load(key)
        finally:
            del self._loading[key]
        self._values[key] = (value, self._monotonic() + seconds)
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)
        return value


def _seen(task: asyncio.Task[V]) -> None:
    """Whoever asked may have gone before it failed."""
    if not task.cancelled():
        task.exception()
