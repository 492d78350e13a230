"""Plain WebSockets as one more kind of socket: JSON frames, queued for each and written as fast as it takes them.

The namespace of a socket is that of its dialect behind `ws:`. The server's own pings close a socket that does not
answer; one that is still there after such a round has received what was written before it.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import orjson

from services.gateway import metrics

KIND = "ws:"
# RFC 6455 §7.4.1 and its registry: why a socket is closed.
GOING_AWAY, REFUSED, TRY_AGAIN = 1001, 1008, 1013
_STEP = 0.02  # seconds between two shares of a drain


class WebSocket(Protocol):
    """What is written to; both wait until the connection takes it."""

    async def send_text(self, data: str) -> None: ...

    async def close(self, code: int = ..., reason: str | None = ...) -> None: ...


class PlainSocket:
    """One WebSocket. None in the queue is a ping; `pings` are when those that were reached went out."""

    def __init__(self, connection: WebSocket) -> None:
        self._connection = connection
        self.queue: deque[str | None] = deque()
        self.pings: deque[float] = deque()
        self.waiting = 0
        self._code: int | None = None
        self._news = asyncio.Event()
        self.writing = asyncio.ensure_future(self._write())

    def put(self, frame: str | None) -> None:
        """Queues a frame."""
        if self._code is None:
            self.queue.append(frame)
            self.waiting += len(frame or "")
            self._news.set()

    def close(self, code: int) -> None:
        """Closes after what is queued."""
        self._code = self._code or code
        self._news.set()

    async def _write(self) -> None:
        while self.queue or self._code is None:
            if not self.queue:
                self._news.clear()
                await self._news.wait()
                continue
            frame = self.queue.popleft()
            if frame is None:
                self.pings.append(asyncio.get_running_loop().time())
            else:
                await self._connection.send_text(frame)
                self.waiting -= len(frame)
        await self._connection.close(self._code)


class PlainSockets:
    """See ports.Sockets. `alive_after` seconds after a ping its socket has been closed or is alive; `slow` is bytes."""

    def __init__(self, alive_after: float, slow: int) -> None:
        self._alive_after, self._slow = alive_after, slow
        self._sockets: dict[str, PlainSocket] = {}
        self._pinged: Callable[[str], None] = _nobody
        self._ponged: Callable[[str], None] = _nobody

    def watch(self, pinged: Callable[[str], None], ponged: Callable[[str], None]) -> None:
        """Tells of every ping to a socket, and when it has proved to be alive since, by sid."""
        self._pinged, self._ponged = pinged, ponged

    def opened(self, sid: str, connection: WebSocket) -> PlainSocket:
        """A socket that was accepted; `writing` ends when it is closed from here."""
        socket = self._sockets[sid] = PlainSocket(connection)
        metrics.PLAIN_SOCKETS.set(len(self._sockets))
        return socket

    def closed(self, sid: str) -> None:
        """A socket is over."""
        socket = self._sockets.pop(sid, None)
        if socket is not None:
            socket.writing.cancel()
        metrics.PLAIN_SOCKETS.set(len(self._sockets))

    def emit(self, namespace: str, sids: Iterable[str], event: str, payload: Mapping[str, Any]) -> None:
        """See ports.Sockets."""
        del namespace
        frame = orjson.dumps({"event": event, "data": payload}).decode()
        metrics.DELIVERIES.counts[()] += sum(self._put(sid, frame) for sid in sids)

    def emit_personal(
        self, namespace: str, readers: Mapping[str, str], event: str, payload: Mapping[str, Any], field: str
    ) -> None:
        """See ports.Sockets."""
        for sid, reader in readers.items():
            self.emit(namespace, [sid], event, {**payload, field: reader})

    def _put(self, sid: str, frame: str) -> bool:
        socket = self._sockets.get(sid)
        if socket is None:
            return False
        socket.put(frame)
        if socket.waiting > self._slow:
            metrics.PLAIN_SOCKETS_CUT.inc()
            socket.writing.cancel()
        return True

    async def breathe(self) -> None:
        """See ports.Sockets. Each socket has a task of its own: they get a turn."""
        await asyncio.sleep(0)

    def refuse(self, namespace: str, sid: str, reason: str | None = None) -> None:
        """See ports.Sockets."""
        del namespace, reason
        self._close(sid, REFUSED)

    def drop(self, namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        del namespace
        self._close(sid, TRY_AGAIN)

    def ping(self, namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        del namespace
        if (socket := self._sockets.get(sid)) is not None:
            self._pinged(sid)
            socket.put(None)

    async def drain(self, seconds: float) -> None:
        """See ports.Sockets."""
        sids = list(self._sockets)
        random.shuffle(sids)
        steps = max(1, int(seconds / _STEP))
        for step in range(steps if sids else 0):
            for sid in sids[len(sids) * step // steps : len(sids) * (step + 1) // steps]:
                self._close(sid, GOING_AWAY)
            await asyncio.sleep(_STEP if seconds else 0)

    async def sweep(self) -> None:
        """See ports.Sockets. Whoever is there still has answered what came after these pings."""
        then = asyncio.get_running_loop().time() - self._alive_after
        for sid, socket in list(self._sockets.items()):
            while socket.pings and socket.pings[0] < then:
                socket.pings.popleft()
                self._ponged(sid)

    def _close(self, sid: str, code: int) -> None:
        if (socket := self._sockets.get(sid)) is not None:
            socket.close(code)


def _nobody(_sid: str) -> None:
    """Nobody listens."""
