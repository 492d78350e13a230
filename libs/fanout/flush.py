"""Writing: sockets with something to send stand in one line, and what is emitted before their turn joins their write.

A socket's waiting bytes are one string, so rooms, single sends, acknowledgements and pings keep their order. Sockets
that wait with the same bytes share them, also when more is joined.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import Protocol

_JOINED = 65_536  # bytes that wait for one socket before they are written out of turn


class Writable(Protocol):
    """A session, as the flush sees it."""

    pending: bytes | None  # what waits for its turn

    def write(self, data: bytes) -> None:
        """To the client."""
        ...


class Flush:
    """Writes to `per_turn` sockets in each pass of the loop; `breathe` holds back whoever emits faster."""

    def __init__(self, per_turn: int, seconds: float, size: int) -> None:
        self._per_turn, self._seconds, self._size = per_turn, seconds, size
        self._line: list[Writable] = []
        self._next = 0  # in the line
        self._first: list[Writable] = []  # those who are sent something alone: at most a turn late
        self.busy = False
        self._since = 0.0
        self._bytes = 0
        self._done: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def send(self, session: Writable, data: bytes) -> None:
        """To one: before a long line, and together with what it is sent in the same pass."""
        waiting = session.pending
        if waiting is None:
            session.pending = data
            (self._first if len(self._line) - self._next > self._per_turn else self._line).append(session)
            self._begin()
        else:
            session.pending = waiting + data
            if len(waiting) > _JOINED:
                self.write_now(session)

    def send_all(self, sessions: Iterable[Writable], data: bytes) -> None:
        """The same bytes to many."""
        line, seen, joined = self._line, None, data
        self._bytes += len(data)
        for session in sessions:
            waiting = session.pending
            if waiting is None:
                session.pending = data
                line.append(session)
            elif waiting is seen:
                session.pending = joined
            else:
                seen, joined = waiting, waiting + data
                session.pending = joined
        if len(line) > self._next:
            self._begin()

    def write_now(self, session: Writable) -> None:
        """What waits for one, out of turn."""
        waiting, session.pending = session.pending, None
        if waiting is not None:
            session.write(waiting)

    async def breathe(self) -> None:
        """Returns at once while the line is young and short, else when everything has been written."""
        if not self.busy or self._loop is None:
            return
        # Not the loop's time: that stands still while an emitter goes on without yielding.
        if self._bytes > self._size or perf_counter() - self._since > self._seconds:
            if self._done is None:
                self._done = self._loop.create_future()
            await asyncio.shield(self._done)

    def _begin(self) -> None:
        if not self.busy:
            self.busy = True
            self._loop = asyncio.get_running_loop()
            self._since = perf_counter()
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        assert self._loop is not None
        first, self._first = self._first, []
        for session in first:
            self.write_now(session)
        line = self._line
        end = min(len(line), self._next + self._per_turn)
        for position in range(self._next, end):
            session = line[position]
            waiting = session.pending
            if waiting is not None:
                session.pending = None
                session.write(waiting)
        self._next = end
        if end < len(line):
            self._loop.call_soon(self._turn)
        else:
            self._finish()

    def _finish(self) -> None:
        # One list object would keep the size of the largest line.
        self._line, self._next, self._bytes, self.busy = [], 0, 0, False
        done, self._done = self._done, None
        if done is not None and not done.done():
            done.set_result(None)
