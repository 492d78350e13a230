"""Recipient ids of the internal-module dialect: where a notification stands, signed, the same for a whole room (S6).

The server knows the person from the socket, so nobody's name is in them. The signature keeps a client from naming a
place that it was never told of.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple
from uuid import UUID

_SIGNATURE = 12  # bytes: 2⁹⁶ guesses, and short enough to send with every notification


class Recipient(NamedTuple):
    """A notification where it exists for the reader."""

    notification: UUID
    room: str
    seq: int


class RecipientIds:
    """`key` is secret, and the same on every gateway."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(b"recipient ids\0" + key).digest()

    def write(self, recipient: Recipient) -> str:
        """An opaque id."""
        content = recipient.notification.bytes + recipient.seq.to_bytes(8, "big") + recipient.room.encode()
        return base64.urlsafe_b64encode(self._signature(content) + content).rstrip(b"=").decode()

    def read(self, text: str) -> Recipient | None:
        """What an id says, or None when it is not one of ours."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        signature, content = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if len(content) < 24 or not hmac.compare_digest(signature, self._signature(content)):
            return None
        return Recipient(UUID(bytes=content[:16]), content[24:].decode(), int.from_bytes(content[16:24], "big"))

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_SIGNATURE]
