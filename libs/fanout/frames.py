"""WebSocket frames (RFC 6455) as bytes: made for clients, and read from them. No I/O, no state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from websockets.utils import apply_mask

from libs.fanout.errors import TOO_BIG, Violation

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_FINAL, _MASKED, _RESERVED = 0x80, 0x80, 0x70
_CONTROL_MAX, _MASK = 125, 4  # bytes
_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015)))


class Frame(NamedTuple):
    """One frame of a client, unmasked; `end` is where the next one begins."""

    opcode: int
    final: bool
    payload: bytes
    end: int


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A whole message in one frame, as a server sends it."""
    size = len(payload)
    if size <= _CONTROL_MAX:
        return bytes((_FINAL | opcode, size)) + payload
    if size < 1 << 16:
        return bytes((_FINAL | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FINAL | opcode, 127)) + size.to_bytes(8, "big") + payload


def message(data: str | bytes | bytearray) -> bytes:
    """An Engine.IO message packet in a frame: text with its leading `4`, binary as it is."""
    return frame(b"4" + data.encode()) if isinstance(data, str) else frame(bytes(data), BINARY)


def split(frames: bytes) -> Iterator[tuple[int, bytes]]:
    """(opcode, payload) of each frame that `frame` made: what other transports send is taken from the same bytes."""
    at = 0
    while at < len(frames):
        opcode, size, at = frames[at] & 0x0F, frames[at + 1], at + 2
        if size > _CONTROL_MAX:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(frames[at : at + width], "big"), at + width
        yield opcode, frames[at : at + size]
        at += size


def read(data: bytes, at: int, limit: int) -> Frame | int:
    """The client's frame that begins at `at`, or how many bytes it needs in all when some are missing.

    Raises Violation: a frame no client may send, or a payload above `limit` bytes.
    """
    have = len(data) - at
    if have < 2:
        return 2
    first, size = data[at], data[at + 1] ^ _MASKED
    opcode, final = first & 0x0F, first >= _FINAL
    _check(first, opcode, size)
    head = 2
    if size > _CONTROL_MAX:
        head = 4 if size == 126 else 10
        if have < head:
            return head
        size = int.from_bytes(data[at + 2 : at + head], "big")
    if size > limit and opcode < CLOSE:
        raise Violation("message too big", TOO_BIG)
    if have < head + _MASK + size:
        return head + _MASK + size
    body = at + head + _MASK
    payload = data[body : body + size]
    if size and (mask := data[body - _MASK : body]) != b"\0\0\0\0":
        payload = apply_mask(payload, mask)
    return Frame(opcode, final, payload, body + size)


def _check(first: int, opcode: int, size: int) -> None:
    if size >= _MASKED:
        raise Violation("frame without a mask")
    if first & _RESERVED:
        raise Violation("reserved bit")
    if opcode >= CLOSE:
        if opcode > PONG:
            raise Violation("unknown opcode")
        if size > _CONTROL_MAX or first < _FINAL:
            raise Violation("control frame too long or in fragments")
    elif opcode > BINARY:
        raise Violation("unknown opcode")


def close(code: int) -> bytes:
    """A close frame."""
    return frame(code.to_bytes(2, "big"), CLOSE)


def close_answer(payload: bytes) -> bytes:
    """The close frame that answers a client's. Raises Violation or UnicodeDecodeError when the client's is wrong."""
    if not payload:
        return frame(b"", CLOSE)
    number = int.from_bytes(payload[:2], "big")
    payload[2:].decode()
    if len(payload) < 2 or not (number in _CLOSE_CODES or 3000 <= number < 5000):
        raise Violation("close code")
    return frame(payload[:2], CLOSE)
