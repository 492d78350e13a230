"""The reference transport: stock python-socketio, with events encoded once and queued for each socket directly.

Pings that go out and pongs that come in are reported, because a pong confirms what was written before its ping. The
library takes the pong of an extra ping for that of its own if one is on its way, and ignores it otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

import engineio
import orjson
import socketio
from engineio import packet as engineio_packet
from socketio.packet import CONNECT_ERROR

from services.gateway import metrics
from services.gateway.adapters.socket_options import SocketOptions

_FETCH_SECONDS = 2.0
_STEP = 0.02  # seconds between two shares of a drain
_SWEEPS = 10  # rounds in which a polling client may fetch its last packets

Told = Callable[[str], None]


class StockSockets:
    """See ports.Sockets."""

    def __init__(self, options: SocketOptions) -> None:
        self.uvicorn_options: dict[str, Any] = {}
        self.closed: Counter[str] = Counter(slow=0)
        self._slow_bytes = options.slow_bytes
        self._sessions: dict[str, tuple[str, Any]] = {}  # sid → namespace, Engine.IO's socket
        self._tasks: set[asyncio.Task[None]] = set()
        self._round = 0
        self._over: set[str] = set()
        self.pinged: Told = _unheard
        self.ponged: Told = _unheard
        self.server = _Server(self, options)

    def watch(self, pinged: Told, ponged: Told) -> None:
        """Tells of every ping to a client and every pong from one, by sid."""
        self.pinged, self.ponged = pinged, ponged

    def emit(self, namespace: str, sids: Iterable[str], event: str, payload: Mapping[str, Any]) -> None:
        """See ports.Sockets."""
        begin = "2" if namespace == "/" else f"2{namespace},"
        packet = engineio_packet.Packet(engineio_packet.MESSAGE, begin + orjson.dumps([event, payload]).decode())
        count = 0
        for sid in sids:
            _, socket = self._sessions.get(sid, (None, None))
            if socket is not None and not socket.closed and not socket.closing:
                count += 1
                socket.queue.put_nowait(packet)
                if socket.queue.size > self._slow_bytes:
                    self.closed["slow"] += 1
                    self._abort(socket)
        metrics.DELIVERIES.counts[()] += count

    def emit_personal(
        self, namespace: str, readers: Mapping[str, str], event: str, payload: Mapping[str, Any], field: str
    ) -> None:
        """See ports.Sockets."""
        for sid, reader in readers.items():
            self.emit(namespace, (sid,), event, {**payload, field: reader})

    async def breathe(self) -> None:
        """See ports.Sockets. Each socket has a task of its own: they get a turn."""
        await asyncio.sleep(0)

    def refuse(self, namespace: str, sid: str, reason: str | None = None) -> None:
        """See ports.Sockets."""
        if sid in self._sessions:
            self._later(self.server.fail(sid, namespace, reason))

    def drop(self, _namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        if sid in self._sessions:
            self._later(_close(self._sessions[sid][1]))

    def ping(self, _namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        if sid in self._sessions:
            self._sessions[sid][1].queue.put_nowait(engineio_packet.Packet(engineio_packet.PING))

    async def drain(self, seconds: float) -> None:
        """See ports.Sockets."""
        self.server.eio.draining = True
        sockets = list(self.server.eio.sockets.values())
        random.shuffle(sockets)
        steps = max(1, int(seconds / _STEP))
        for step in range(steps):
            for socket in sockets[len(sockets) * step // steps : len(sockets) * (step + 1) // steps]:
                self._later(_close(socket))
            await asyncio.sleep(_STEP if seconds else 0)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def sweep(self) -> None:
        """See ports.Sockets. The library's own monitor takes its time for each in turn, and forgets nobody."""
        self._round += 1
        if self._round % _SWEEPS:
            return
        over: set[str] = set()
        for sid, socket in list(self.server.eio.sockets.items()):
            if not socket.closed and not socket.closing:
                await socket.check_ping_timeout()
            elif socket.closed and sid in self._over:
                self.server.eio.sockets.pop(sid, None)
            else:
                over.add(sid)
        self._over = over

    def opened(self, sid: str, namespace: str, eio_sid: str) -> None:
        """A session of a namespace begins."""
        socket = self.server.eio.sockets[eio_sid]
        if not socket.queue.sids:
            self._listen(socket)
        socket.queue.sids.add(sid)
        self._sessions[sid] = namespace, socket

    def ended(self, sid: str) -> None:
        """It is over."""
        _, socket = self._sessions.pop(sid, (None, None))
        if socket is not None:
            socket.queue.sids.discard(sid)

    def _listen(self, socket: Any) -> None:
        receive = socket.receive

        async def listening(packet: Any) -> None:
            if packet.packet_type == engineio_packet.PONG:
                for sid in socket.queue.sids:
                    self.ponged(sid)
            await receive(packet)

        socket.receive = listening

    def _abort(self, socket: Any) -> None:
        while not socket.queue.empty():
            socket.queue.get_nowait()
            socket.queue.task_done()
        self._later(_close(socket))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _close(socket: Any) -> None:
    """Closes an Engine.IO socket after what is queued.

    A polling client must fetch it first: closed sockets are not served. To a WebSocket the library only says that it
    is closed, and leaves it open.
    """
    polling = not socket.upgraded
    if polling:
        socket.queue.put_nowait(engineio_packet.Packet(engineio_packet.CLOSE))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(socket.queue.join(), _FETCH_SECONDS)
    await socket.close(wait=False, abort=polling, reason=socket.server.reason.SERVER_DISCONNECT)
    socket.queue.put_nowait(None)


class _Queue(asyncio.Queue[Any]):
    """What waits for one socket: its size in bytes is known, and who is to hear of pings among it."""

    def __init__(self, sockets: StockSockets) -> None:
        super().__init__()
        self._sockets = sockets
        self.size = 0
        self.sids: set[str] = set()

    def _put(self, item: Any) -> None:
        super()._put(item)
        self.size += _size(item)
        if item is not None and item.packet_type == engineio_packet.PING:
            for sid in self.sids:
                self._sockets.pinged(sid)

    def _get(self) -> Any:
        item = super()._get()
        self.size -= _size(item)
        return item


def _size(packet: Any) -> int:
    return len(packet.data) if packet is not None and isinstance(packet.data, (str, bytes)) else 0


class _Engine(engineio.AsyncServer):
    draining = False

    def __init__(self, sockets: StockSockets, **options: Any) -> None:
        super().__init__(**options)
        self._sockets = sockets

    def create_queue(self, *_arguments: Any, **_options: Any) -> _Queue:
        return _Queue(self._sockets)

    async def _handle_connect(self, environ: Any, *arguments: Any) -> Any:
        if self.draining:
            return self._bad_request("Going away")
        return await super()._handle_connect(environ, *arguments)


class _Server(socketio.AsyncServer):
    def __init__(self, sockets: StockSockets, options: SocketOptions) -> None:
        self._sockets = sockets
        super().__init__(**options.arguments())

    async def fail(self, sid: str, namespace: str, reason: str | None) -> None:
        if reason is not None:
            packet = self.packet_class(CONNECT_ERROR, data={"message": reason}, namespace=namespace)
            await self._send_packet(self.manager.eio_sid_from_sid(sid, namespace), packet)
        await self.disconnect(sid, namespace)

    def _engineio_server_class(self) -> Any:
        return lambda **options: _Engine(self._sockets, **options)

    async def _trigger_event(self, event: str, namespace: str, *arguments: Any) -> Any:
        if event == "connect":
            self._sockets.opened(arguments[0], namespace, self.manager.eio_sid_from_sid(arguments[0], namespace))
        try:
            return await super()._trigger_event(event, namespace, *arguments)
        finally:
            if event == "disconnect":
                self._sockets.ended(arguments[0])

    async def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        await super()._handle_connect(eio_sid, namespace, data)
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace or "/")
        if sid is not None and eio_sid not in self.environ:  # it went while it was being let in
            await self.manager.disconnect(sid, namespace or "/", ignore_queue=True)
            self._sockets.ended(sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        socket = self.eio.sockets.get(eio_sid)
        if reason == self.reason.CLIENT_DISCONNECT and socket is not None:
            # The library leaves the long poll of a client that took its leave open until the next ping.
            socket.queue.put_nowait(None)


def _unheard(_sid: str) -> None:
    """Nobody listens."""
