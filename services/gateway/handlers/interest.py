"""The interest of this gateway: registered before a log is begun, withdrawn when nobody holds it any longer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from services.gateway.domain.logs import Head, LogKey
from services.gateway.domain.rooms import HeldLogs
from services.gateway.errors import LeaseLost
from services.gateway.handlers.batching import Batcher
from services.gateway.ports import Interests, Logs, Room, Slot


class Interest:
    """Interest goes with a slot; while there is none, beginnings wait for one.

    Registering and withdrawing take turns, so that a late withdrawal cannot undo a new registration.
    """

    def __init__(self, interests: Interests, logs: Logs, held: HeldLogs, batch: float) -> None:
        self._interests, self._logs, self._held = interests, logs, held
        self._turn = asyncio.Lock()
        self._attached = asyncio.Event()
        self._slot: Slot | None = None
        self.batch = batch
        self._beginning: Batcher[LogKey, Head] = Batcher(self._begin, batch)

    @property
    def slot(self) -> Slot | None:
        """The slot whose partition is being read."""
        return self._slot

    async def begin(self, keys: Iterable[LogKey]) -> Mapping[LogKey, Head]:
        """Registers interest in logs and returns their heads, read after the registration was committed."""
        return await self._beginning.get(keys)

    async def attach(self, slot: Slot) -> None:
        """From now on this is our slot: everything that is held is registered in it."""
        async with self._turn:
            await self._interests.register(slot, _rooms([log.key for log in self._held]))
            self._slot = slot
        self._attached.set()

    def detach(self) -> None:
        """We have no slot."""
        self._slot = None
        self._attached.clear()

    async def withdraw(self, keys: Sequence[LogKey]) -> None:
        """Withdraws interest in logs that are idle, and forgets them."""
        async with self._turn:
            idle = [key for key in keys if (log := self._held.get(key)) is not None and not log.holders]
            for key in idle:
                self._held.drop(key)
            if self._slot is not None and idle:
                await self._interests.withdraw(self._slot, _rooms(idle))

    async def _begin(self, keys: Sequence[LogKey]) -> dict[LogKey, Head]:
        while not await self._registered(keys):
            await self._attached.wait()
        return await self._logs.begin(keys)

    async def _registered(self, keys: Sequence[LogKey]) -> bool:
        async with self._turn:
            if self._slot is None or not self._attached.is_set():
                return False
            try:
                await self._interests.register(self._slot, _rooms(keys))
            except LeaseLost:
                self.detach()
                return False
            return True


def _rooms(keys: Sequence[LogKey]) -> list[Room]:
    # A state log needs no interest of its own: its changes come to whoever holds the reader's own room.
    return [(key.tenant, key.name) for key in keys if key.reader is None]
