"""The master keys, which data keys are wrapped by: they stand in settings and never in the database.

A master key is known by a part of its hash. So nobody has to name it, and no two can be mistaken for each other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from uuid import UUID

from libs.sealing.values import DataKey, decrypt, encrypt

KEY_BYTES = 32
_ID_DIGITS = 16


class Unknown(Exception):
    """The master key is none of those that this process was told."""


class Masters:
    """The keys of a setting. The first wraps what is new, the others still open what they wrapped."""

    def __init__(self, text: str) -> None:
        """`text` is 32 bytes in base64, or several with commas between. Raises ValueError, which tells none of them."""
        secrets = [_secret(part.strip()) for part in text.split(",") if part.strip()]
        if not secrets:
            raise ValueError("it needs a key, as `carillon sealing new` makes one")
        self._secrets = {_id(secret): secret for secret in secrets}
        self.ids = tuple(self._secrets)

    @property
    def current(self) -> str:
        """Which one wraps what is new."""
        return self.ids[0]

    def wrap(self, key: DataKey, tenant: str, user_id: str) -> bytes:
        """A data key for the database, bound to whose it is."""
        return encrypt(self._secrets[self.current], key.secret, _bound(key.id, tenant, user_id))

    def unwrap(self, master: str, wrapped: bytes, key_id: UUID, tenant: str, user_id: str) -> DataKey:
        """The data key again. Raises Unknown, or libs.sealing.values.Tampered."""
        if master not in self._secrets:
            raise Unknown
        return DataKey(key_id, decrypt(self._secrets[master], wrapped, _bound(key_id, tenant, user_id)))


def new_secret() -> bytes:
    """Of a data key or a master key."""
    return os.urandom(KEY_BYTES)


def new_master() -> str:
    """A master key as the setting takes it."""
    return base64.b64encode(new_secret()).decode()


def _secret(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise ValueError(f"each key is {KEY_BYTES} bytes in base64, as `carillon sealing new` makes one")
    return secret


def _id(secret: bytes) -> str:
    return hashlib.sha256(b"carillon master key\0" + secret).hexdigest()[:_ID_DIGITS]


def _bound(key_id: UUID, tenant: str, user_id: str) -> bytes:
    return json.dumps([str(key_id), tenant, user_id]).encode()
