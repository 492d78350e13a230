"""A WebSocket connection as an asyncio protocol: bytes in, whole messages out by callback. No task, no queue."""

from __future__ import annotations

import asyncio

from libs.fanout import frames
from libs.fanout.errors import NOT_TEXT, Violation


class Wire(asyncio.Protocol):
    """Subclasses say what a message means. `transport` is None once the connection is over or belongs to another."""

    __slots__ = ("_fragments", "_missing", "_rest", "held", "transport")

    def __init__(self, transport: asyncio.Transport | None) -> None:
        self.transport = transport
        self.held = False  # bytes are kept unread
        self._rest: bytearray | None = None  # begins with an unfinished frame of `_missing` bytes in all
        self._missing = 0
        self._fragments: tuple[int, bytearray] | None = None  # opcode and payload of an unfinished message

    @property
    def limit(self) -> int:
        """Bytes of the largest message."""
        raise NotImplementedError

    def on_text(self, text: str) -> None:
        """A text message."""
        raise NotImplementedError

    def on_binary(self, data: bytes) -> None:
        """A binary message."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """To the transport, within the subclass's bounds."""
        raise NotImplementedError

    def fail(self, code: int) -> None:
        """The client broke the protocol: end with this close code."""
        raise NotImplementedError

    def on_close(self, answer: bytes) -> None:
        """A close frame. Write the answer and end: nothing counts after it."""
        raise NotImplementedError

    def on_rest(self, rest: bytes) -> None:
        """Bytes after the message with which the connection went over to another protocol."""

    def data_received(self, data: bytes) -> None:
        """Reads what is complete and keeps the rest."""
        if self._rest is not None:
            self._rest += data
            if self.held or len(self._rest) < self._missing:
                return None
            data, self._rest = bytes(self._rest), None
        elif _is_pong(data) and self._fragments is None and not self.held:
            return self.on_text("3")  # by far the most frequent message
        try:
            self._read(data)
        except Violation as violation:
            self.fail(violation.code)
        except UnicodeDecodeError:
            self.fail(NOT_TEXT)
        return None

    def eof_received(self) -> bool:
        """The client is done: so are we."""
        return False

    def hold(self) -> None:
        """Read nothing more until `release`."""
        self.held = True
        if self.transport is not None:
            self.transport.pause_reading()

    def release(self) -> None:
        """Go on reading, first what had arrived already."""
        self.held = False
        if self.transport is not None:
            self.transport.resume_reading()
            self._missing = 0
            if self._rest is not None:
                self.data_received(b"")

    def forget(self) -> None:
        """Drop what is unfinished."""
        self._rest = self._fragments = None

    def _read(self, data: bytes) -> None:
        at, size = 0, len(data)
        while at < size:
            if self.transport is None:
                return self.on_rest(data[at:])
            found = 0 if self.held else frames.read(data, at, self.limit - self._gathered)
            if isinstance(found, int):
                self._rest, self._missing = bytearray(data[at:]), found
                return None
            at = found.end
            if found.opcode >= frames.CLOSE:
                self._control(found)
            else:
                self._message(found)
        return None

    @property
    def _gathered(self) -> int:
        """Bytes of the unfinished message."""
        return 0 if self._fragments is None else len(self._fragments[1])

    def _control(self, found: frames.Frame) -> None:
        if found.opcode == frames.PING:
            self.write(frames.frame(found.payload, frames.PONG))
        elif found.opcode == frames.CLOSE:
            answer = frames.close_answer(found.payload)
            if self._fragments is not None:
                raise Violation("closed within a message")
            self.on_close(answer)

    def _message(self, found: frames.Frame) -> None:
        opcode, payload = found.opcode, found.payload
        if (opcode == frames.CONTINUATION) != (self._fragments is not None):
            raise Violation("fragments out of order")
        if self._fragments is not None:
            opcode, joined = self._fragments
            joined += payload
            if not found.final:
                return
            payload, self._fragments = bytes(joined), None
        elif not found.final:
            self._fragments = (opcode, bytearray(payload))
            return
        if opcode == frames.TEXT:
            self.on_text(payload.decode())
        else:
            self.on_binary(payload)


def _is_pong(data: bytes) -> bool:
    """Exactly one masked text frame with the packet `3`."""
    return len(data) == 7 and data[0] == 0x81 and data[1] == 0x81 and data[2] ^ data[6] == 0x33
