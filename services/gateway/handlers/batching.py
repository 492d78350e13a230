"""Collects what many callers ask for within a few milliseconds, and asks once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Generic, TypeVar

from services.gateway.errors import Retryable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_Caller = tuple[tuple[K, ...], asyncio.Future[Mapping[K, V]]]


class Batcher(Generic[K, V]):
    """`load` is given the keys of one batch and returns their values.

    One load runs at a time. What is asked for meanwhile forms the next batch, and so does what is asked for within
    `wait` seconds. A caller has one future, however many keys it asks for: thousands of them connect at once.
    What fails for another reason than a neighbour is loaded for each caller alone: nobody spoils it for the others.
    """

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], wait: float) -> None:
        self._load, self._wait = load, wait
        self._callers: list[_Caller[K, V]] = []
        self._task: asyncio.Task[None] | None = None

    async def get(self, keys: Iterable[K]) -> Mapping[K, V]:
        """The values of the whole batch, those of these keys among them as far as there are any.

        Raises what `load` raises.
        """
        future: asyncio.Future[Mapping[K, V]] = asyncio.get_running_loop().create_future()
        self._callers.append((tuple(keys), future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._callers:
                await asyncio.sleep(self._wait)
                callers, self._callers = self._callers, []
                await self._answer(callers)
        finally:
            self._task = None

    async def _answer(self, callers: Sequence[_Caller[K, V]]) -> None:
        try:
            values = await self._load(list(dict.fromkeys(chain.from_iterable(keys for keys, _ in callers))))
        except Exception as error:  # noqa: BLE001 - it is raised again in the callers
            await self._failed(callers, error)
            return
        for _, future in callers:
            if not future.done():  # it may have been cancelled
                future.set_result(values)

    async def _failed(self, callers: Sequence[_Caller[K, V]], error: Exception) -> None:
        alone = len(callers) == 1 or isinstance(error, Retryable)
        for caller in callers:
            if not alone:
                await self._answer([caller])
            elif not caller[1].done():
                caller[1].set_exception(error)
