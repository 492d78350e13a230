"""API keys of services: `ck_{key id}_{secret}`; only a hash of the secret is stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

SCOPES = frozenset(
    {"events:write", "directory:write", "directory:read", "catalogue:write", "catalogue:read", "keys:write",
     "status:read", "callbacks:write", "ephemerals:write", "content:erase"}
)  # fmt: skip
_PREFIX = "ck"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `text` is shown once, `key_id` and `hash` are stored."""

    key_id: str
    text: str
    hash: bytes


def create() -> NewKey:
    """A new random key."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    return NewKey(key_id, f"{_PREFIX}_{key_id}_{secret}", digest(secret))


def split(text: str) -> tuple[str, str] | None:
    """(key id, secret) of a key's text, or None when it is not an API key."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if prefix == _PREFIX and key_id and secret else None


def digest(secret: str) -> bytes:
    """The stored hash. A plain SHA-256 will do: the secret has 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, stored: bytes) -> bool:
    """Compares in constant time."""
    return secrets.compare_digest(digest(secret), stored)
