"""Devices that push reaches: what a registration must look like on each platform."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

Platform = Literal["web", "fcm", "apns"]

_FCM = re.compile(r"^[A-Za-z0-9_:%.-]{20,4096}$")
_APNS = re.compile(r"^[0-9a-fA-F]{64,200}$")
_KEY_BYTES = {"p256dh": 65, "auth": 16}  # RFC 8291: an uncompressed point of P-256, and a secret


class Wrong(NamedTuple):
    """Why a registration cannot be used, and which of its fields."""

    field: str
    message: str


def fault(platform: Platform, token: str, keys: Mapping[str, str]) -> Wrong | None:
    """What is wrong with a device's address, or None."""
    match platform:
        case "web":
            return _web_fault(token, keys)
        case "fcm":
            return None if _FCM.fullmatch(token) else Wrong("token", "an FCM registration token is needed")
        case "apns":
            wrong = Wrong("token", "an APNs device token is needed: 64 hex digits or more")
            return None if _APNS.fullmatch(token) else wrong


def _web_fault(endpoint: str, keys: Mapping[str, str]) -> Wrong | None:
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return Wrong("token", "the subscription's endpoint is not an address")
    if parts.scheme != "https" or "." not in (parts.hostname or "") or parts.username is not None or port == 0:
        return Wrong("token", "the subscription's endpoint must be a public https address")
    for name, size in _KEY_BYTES.items():
        if _size(keys.get(name, "")) != size:
            return Wrong(f"keys.{name}", f"{size} bytes in base64url are needed")
    return None


def _size(text: str) -> int:
    try:
        return len(base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True))
    except (ValueError, binascii.Error):
        return -1
