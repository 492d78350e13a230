"""Frames as clients send them."""

from __future__ import annotations

from websockets.utils import apply_mask

MASK = b"\x12\x34\x56\x78"


def client_frame(payload: bytes, opcode: int = 1, *, final: bool = True, mask: bytes = MASK) -> bytes:
    """A masked frame, with the shortest length that fits."""
    size = len(payload)
    first = bytes(((0x80 if final else 0) | opcode,))
    if size < 126:
        head = first + bytes((0x80 | size,))
    elif size < 1 << 16:
        head = first + b"\xfe" + size.to_bytes(2, "big")
    else:
        head = first + b"\xff" + size.to_bytes(8, "big")
    return head + mask + (apply_mask(payload, mask) if payload else b"")
