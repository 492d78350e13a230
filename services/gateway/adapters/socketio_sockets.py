"""The transport: stock python-socketio, with events encoded once and queued for each socket directly.

Engine.IO's sockets are wrapped in two places: pings that go out and pongs that come in are reported, because a pong
confirms what was written before its ping. The library takes the pong of an extra ping for that of its own if one is on
its way, and ignores it otherwise, so extra pings do not disturb it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
import socketio
from engineio import packet as engineio_packet

from services.gateway import metrics

# A logger of our own: to its default one the library gives a second way out.
_logger = logging.getLogger("socketio")
_logger.setLevel(logging.ERROR)

_FETCH_SECONDS = 2.0
_EVENT = "2"  # Socket.IO's packet type EVENT, on namespace "/"


class _Connection:
    """One Engine.IO socket."""

    __slots__ = ("_pinged", "_ponged", "receive", "send", "socket")

    def __init__(self, socket: Any, pinged: Callable[[], None], ponged: Callable[[], None]) -> None:
        self.socket, self._pinged, self._ponged = socket, pinged, ponged
        self.receive, self.send = socket.receive, socket.send
        socket.receive, socket.send = self._receive, self._send

    def unwrap(self) -> None:
        """The socket may go on with another session of the namespace."""
        self.socket.receive, self.socket.send = self.receive, self.send

    def queue(self, packet: Any) -> None:
        if not self.socket.closed and not self.socket.closing:
            self.socket.queue.put_nowait(packet)

    def ping(self) -> None:
        self._pinged()
        self.queue(engineio_packet.Packet(engineio_packet.PING))

    async def _send(self, packet: Any) -> None:
        if packet.packet_type == engineio_packet.PING:
            self._pinged()
        await self.send(packet)

    async def _receive(self, packet: Any) -> None:
        if packet.packet_type == engineio_packet.PONG:
            self._ponged()
        await self.receive(packet)


class SocketIoSockets:
    """See ports.Sockets. `queue_limit` packets may wait for a socket; with more it is too slow and closed."""

    def __init__(self, server: socketio.AsyncServer, queue_limit: int) -> None:
        self._server, self._queue_limit = server, queue_limit
        self._connections: dict[str, _Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed: set[str] = set()
        self.pinged: Callable[[str], None] = lambda _sid: None
        self.ponged: Callable[[str], None] = lambda _sid: None

    def opened(self, sid: str) -> None:
        """A socket has connected to the namespace."""
        socket = self._server.eio.sockets[self._server.manager.eio_sid_from_sid(sid, "/")]
        self._connections[sid] = _Connection(socket, lambda: self.pinged(sid), lambda: self.ponged(sid))

    def closed(self, sid: str) -> None:
        """A session is over."""
        connection = self._connections.pop(sid, None)
        if connection is not None:
            connection.unwrap()

    def emit(self, sids: Iterable[str], event: str, payload: Mapping[str, Any]) -> None:
        """See ports.Sockets."""
        text = _EVENT + orjson.dumps([event, payload]).decode()
        packet = engineio_packet.Packet(engineio_packet.MESSAGE, text)
        count = 0
        for sid in sids:
            connection = self._connections.get(sid)
            if connection is None:
                continue
            connection.queue(packet)
            count += 1
            if connection.socket.queue.qsize() > self._queue_limit:
                metrics.SLOW_SOCKETS.inc()
                self._abort(sid)
        metrics.DELIVERIES.inc(count)

    def refuse(self, sid: str) -> None:
        """See ports.Sockets."""
        self._later(self._server.disconnect(sid))

    def drop(self, sid: str) -> None:
        """See ports.Sockets."""
        connection = self._connections.get(sid)
        if connection is not None:
            self._later(_close(connection.socket))

    def ping(self, sid: str) -> None:
        """See ports.Sockets."""
        connection = self._connections.get(sid)
        if connection is not None:
            connection.ping()

    async def sweep(self) -> None:
        """Closes sockets that stopped answering, and forgets those that are closed: the library's own monitor takes
        its time for each in turn."""
        closed: set[str] = set()
        for sid, socket in list(self._server.eio.sockets.items()):
            if not socket.closed and not socket.closing:
                await socket.check_ping_timeout()
            elif socket.closed and sid in self._closed:  # a polling client has had time to fetch its last packets
                self._server.eio.sockets.pop(sid, None)
            else:
                closed.add(sid)
        self._closed = closed

    async def settled(self) -> None:
        """See ports.Sockets."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _abort(self, sid: str) -> None:
        socket = self._connections[sid].socket
        while not socket.queue.empty():
            socket.queue.get_nowait()
            socket.queue.task_done()
        self._later(_close(socket))

    def _later(self, work: Any) -> None:
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


class _Server(socketio.AsyncServer):
    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        socket = self.eio.sockets.get(eio_sid)
        if reason == self.reason.CLIENT_DISCONNECT and socket is not None:
            # The library leaves the long poll of a client that took its leave open until the next ping.
            socket.queue.put_nowait(None)


def create_server(ping_interval: float, ping_timeout: float, origins: Sequence[str]) -> socketio.AsyncServer:
    """A Socket.IO server that accepts every CONNECT, so that a refusal can say why (S9)."""
    return _Server(
        async_mode="asgi",
        always_connect=True,
        cors_allowed_origins=list(origins) or None,  # none named: the page's own origin only
        cors_credentials=True,
        ping_interval=ping_interval,
        ping_timeout=ping_timeout,
        monitor_clients=False,
        http_compression=False,
        logger=_logger,
        engineio_logger=_logger,
    )
