"""The interest of this gateway: registered before a log is begun or a room joined, withdrawn when nobody is there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.gateway.domain.live_rooms import LiveRooms
from services.gateway.domain.logs import LogKey
from services.gateway.domain.rooms import HeldLogs
from services.gateway.errors import LeaseLost
from services.gateway.handlers.batching import Batcher
from services.gateway.ports import Interests, Room, Slot


class Interest:
    """Interest goes with a slot; while there is none, beginnings wait for one.

    Registering and withdrawing take turns, so that a late withdrawal cannot undo a new registration.
    """

    def __init__(self, interests: Interests, held: HeldLogs, live: LiveRooms, batch: float) -> None:
        self._interests, self._held, self._live = interests, held, live
        self._turn = asyncio.Lock()
        self._attached = asyncio.Event()
        self._slot: Slot | None = None
        self._listening: Batcher[Room, None] = Batcher(self._listen, batch)

    @property
    def slot(self) -> Slot | None:
        """The slot whose partition is being read."""
        return self._slot

    async def begin(self, keys: Sequence[LogKey]) -> None:
        """Returns when interest in logs is committed: what is read of them afterwards lacks nothing."""
        await self._register(_rooms(keys))

    async def listen(self, rooms: Sequence[Room]) -> None:
        """Returns when interest in rooms without a log is committed. Raises Retryable."""
        await self._listening.get(rooms)

    async def attach(self, slot: Slot) -> None:
        """From now on this is our slot: everything that is held is registered in it."""
        async with self._turn:
            rooms = [*_rooms([log.key for log in self._held]), *self._live]
            await self._interests.register(slot, rooms, everything=True)
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

    async def forget(self, rooms: Sequence[Room]) -> None:
        """Withdraws interest in rooms without a log that nobody is in."""
        async with self._turn:
            empty = [room for room in rooms if self._live.drop(room)]
            if self._slot is not None and empty:
                await self._interests.withdraw(self._slot, empty)

    async def _listen(self, rooms: Sequence[Room]) -> dict[Room, None]:
        await self._register(rooms)
        return dict.fromkeys(rooms)

    async def _register(self, rooms: Sequence[Room]) -> None:
        while rooms and not await self._registered(rooms):
            await self._attached.wait()

    async def _registered(self, rooms: Sequence[Room]) -> bool:
        async with self._turn:
            if self._slot is None or not self._attached.is_set():
                return False
            try:
                await self._interests.register(self._slot, rooms)
            except LeaseLost:
                self.detach()
                return False
            return True


def _rooms(keys: Sequence[LogKey]) -> list[Room]:
    # A state log needs no interest of its own: its changes come to whoever holds the reader's own room.
    return [(key.tenant, key.name) for key in keys if key.reader is None]
