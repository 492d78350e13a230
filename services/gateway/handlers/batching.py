"""Collects what many callers ask for within a few milliseconds, and asks once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Batcher(Generic[K, V]):
    """`load` is given the keys of one batch and returns their values.

    One load runs at a time. What is asked for meanwhile forms the next batch, and so does what is asked for within
    `wait` seconds. A caller has one future, however many keys it asks for: thousands of them connect at once.
    """

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], wait: float) -> None:
        self._load, self._wait = load, wait
        self._asked: dict[K, None] = {}
        self._callers: list[asyncio.Future[Mapping[K, V]]] = []
        self._task: asyncio.Task[None] | None = None

    async def get(self, keys: Iterable[K]) -> Mapping[K, V]:
        """The values of the whole batch, those of these keys among them as far as there are any.

        Raises what `load` raises.
        """
        caller: asyncio.Future[Mapping[K, V]] = asyncio.get_running_loop().create_future()
        self._asked.update(dict.fromkeys(keys))
        self._callers.append(caller)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await caller

    async def _run(self) -> None:
        try:
            while self._callers:
                await asyncio.sleep(self._wait)
                keys, self._asked = list(self._asked), {}
                callers, self._callers = self._callers, []
                await self._answer(keys, callers)
        finally:
            self._task = None

    async def _answer(self, keys: Sequence[K], callers: Iterable[asyncio.Future[Mapping[K, V]]]) -> None:
        try:
            values = await self._load(keys)
        except Exception as error:  # noqa: BLE001 - it is raised again in every caller
            for caller in callers:
                if not caller.done():  # it may have been cancelled
                    caller.set_exception(error)
            return
        for caller in callers:
            if not caller.done():
                caller.set_result(values)
