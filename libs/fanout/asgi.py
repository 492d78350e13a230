"""WebSockets that an ASGI server brings: the same sessions, with a coroutine that writes and a task that reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from libs.fanout import frames
from libs.fanout.errors import TOO_BIG, Refused, Violation
from libs.fanout.head import from_scope
from libs.fanout.websocket import Handshake, Headers, open_websocket
from libs.fanout.wire import Wire

if TYPE_CHECKING:
    from libs.fanout.engine import Engine

_HIGH = 65_536  # unsent bytes from which the session asks how many there are


async def serve(engine: Engine, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
    """One WebSocket, until it is over."""
    await receive()  # websocket.connect
    transport = AsgiTransport()
    handshake = _AsgiHandshake(scope)
    open_websocket(engine, transport, handshake)
    reading = asyncio.ensure_future(_read(transport, receive))
    try:
        await _write(transport, handshake, send)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        transport.lost()


class _AsgiHandshake(Handshake):
    """The ASGI server has checked the request and writes the answer; what it is to be is kept here."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        super().__init__(from_scope(scope))
        self._headers: Headers = ()
        self._refused = False

    def check(self) -> None:
        """The server did."""

    def accept(self, headers: Headers = ()) -> bytes:
        """Nothing to write."""
        self._headers = headers
        return b""

    def refuse(self, _refused: Refused) -> bytes:
        """ASGI has one refusal only: 403."""
        self._refused = True
        return b""

    @property
    def event(self) -> dict[str, Any]:
        """The ASGI event that answers."""
        if self._refused:
            return {"type": "websocket.close"}
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self._headers]
        return {"type": "websocket.accept", "headers": headers}


class AsgiTransport(asyncio.Transport):
    """What a session needs of a transport: frames are taken apart again and sent as messages."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Wire | None = None
        self.waiting: deque[tuple[int, bytes]] = deque()
        self.written = asyncio.Event()  # or closed
        self.readable = asyncio.Event()
        self.readable.set()
        self._size = 0
        self._closing = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who reads from now on."""
        assert isinstance(protocol, Wire)
        self.protocol = protocol
        self.written.set()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Queues what the frames say."""
        self.waiting.extend(frames.split(bytes(data)))
        self._size += len(data)
        if self._size > _HIGH and self.protocol is not None:
            self.protocol.pause_writing()
        self.written.set()

    def sent(self, size: int) -> None:
        """The server has taken a message."""
        self._size = max(0, self._size - size) if self.waiting else 0
        if self._size <= _HIGH and self.protocol is not None:
            self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait."""
        return self._size

    def is_closing(self) -> bool:
        """Nothing more is read or written."""
        return self._closing

    def close(self) -> None:
        """After what waits."""
        self._closing = True
        self.written.set()

    def abort(self) -> None:
        """At once."""
        self.waiting.clear()
        self.close()

    def pause_reading(self) -> None:
        """The session has enough to do."""
        self.readable.clear()

    def resume_reading(self) -> None:
        """It goes on."""
        self.readable.set()

    def lost(self) -> None:
        """The connection is over."""
        self._closing = True
        if self.protocol is not None:
            self.protocol.connection_lost(None)


async def _write(transport: AsgiTransport, handshake: _AsgiHandshake, send: Any) -> None:
    while transport.protocol is None and not transport.is_closing():  # a handler is asked first
        transport.written.clear()
        await transport.written.wait()
    await send(handshake.event)
    code = 1000
    while transport.waiting or not transport.is_closing():
        if not transport.waiting:
            transport.written.clear()
            await transport.written.wait()
            continue
        opcode, payload = transport.waiting.popleft()
        if opcode == frames.CLOSE:
            code = int.from_bytes(payload, "big") or code
            break
        try:
            await send(_message(opcode, payload))
        except OSError:  # the client is gone
            return
        transport.sent(len(payload))
    if handshake.event["type"] == "websocket.accept":
        await send({"type": "websocket.close", "code": code})


async def _read(transport: AsgiTransport, receive: Any) -> None:
    while True:
        event = await receive()
        await transport.readable.wait()
        protocol = transport.protocol
        if event["type"] == "websocket.disconnect" or protocol is None:
            transport.lost()
            transport.abort()
            return
        if transport.is_closing():
            continue
        try:
            _hear(protocol, event.get("text"), event.get("bytes"))
        except Violation as violation:
            protocol.fail(violation.code)


def _hear(protocol: Wire, text: str | None, data: bytes | None) -> None:
    if len(text or data or "") > protocol.limit:
        raise Violation("message too big", TOO_BIG)
    if text is not None:
        protocol.on_text(text)
    elif data is not None:
        protocol.on_binary(data)


def _message(opcode: int, payload: bytes) -> dict[str, Any]:
    if opcode == frames.TEXT:
        return {"type": "websocket.send", "text": payload.decode()}
    return {"type": "websocket.send", "bytes": payload}
