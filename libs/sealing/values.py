"""Values at paths of a notification's data: sealed by AES-256-GCM, and opened again.

What is sealed leaves a mask in its place, so whoever reads the data without a key sees what administrators see. Each
value is bound to its tenant, its notification and its path: copied elsewhere, it does not open.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.catalogue.paths import at_path, masked, put

NONCE_BYTES = 12

About = tuple[str, UUID]  # tenant, notification


@dataclass(frozen=True, slots=True)
class DataKey:
    """What a person's values, or those of a tenant, are sealed by; 32 bytes."""

    id: UUID
    secret: bytes = field(repr=False)


class Tampered(Exception):
    """What was sealed is not what was written, or does not belong where it stands."""


def encrypt(secret: bytes, plain: bytes, bound: bytes) -> bytes:
    """A random nonce, and behind it the sealed bytes with their tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(secret).encrypt(nonce, plain, bound)


def decrypt(secret: bytes, sealed: bytes, bound: bytes) -> bytes:
    """The bytes that `encrypt` was given. Raises Tampered."""
    try:
        return AESGCM(secret).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise Tampered from error


def seal(
    data: dict[str, Any], paths: Collection[str], key: DataKey, about: About
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The data with masks, and what they stand for, None for nothing: `{"key": id, "values": {path: base64}}`.

    As with masks, a path leads through objects; a list that stands at one is sealed whole.
    """
    found = {path: value for path in _outermost(paths) if (value := at_path(data, path)) is not None}
    if not found:
        return data, None
    values = {
        path: base64.b64encode(encrypt(key.secret, json.dumps(value).encode(), _bound(about, path))).decode()
        for path, value in found.items()
    }
    return masked(data, values), {"key": str(key.id), "values": values}


def unseal(
    data: dict[str, Any], values: Mapping[str, str], key: DataKey | None, about: About
) -> tuple[dict[str, Any], int]:
    """The data as it was, and how many values did not open: there stands None, as where nothing was said."""
    failed = 0
    for path, sealed in values.items():
        if at_path(data, path) is None:  # its mask is gone, and what it stood for with it
            continue
        try:
            value = None if key is None else _opened(key, sealed, _bound(about, path))
        except Tampered:
            value = None
        failed += value is None
        data = put(data, path, value)
    return data, failed


def _opened(key: DataKey, sealed: str, bound: bytes) -> Any:
    try:
        return json.loads(decrypt(key.secret, base64.b64decode(sealed), bound))
    except (ValueError, TypeError) as error:
        raise Tampered from error


def _bound(about: About, path: str) -> bytes:
    tenant, notification = about
    return json.dumps([tenant, str(notification), path]).encode()


def _outermost(paths: Collection[str]) -> list[str]:
    """Without those that lie within another."""
    return [path for path in dict.fromkeys(paths) if not any(path.startswith(f"{other}.") for other in paths)]
