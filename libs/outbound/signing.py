"""Headers that prove where a request comes from (Standard Webhooks)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"


class BadSecret(ValueError):
    """A secret that nothing can be signed with."""


def signed(identifier: str, timestamp: int, content: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a request: every secret signs, so that it can be rotated. Raises BadSecret.

    Args:
        identifier: the same for every attempt, so that a receiver can tell a repeat by it.
        timestamp: seconds of the epoch.
    """
    if not secrets:
        raise BadSecret("there is no secret")
    signatures = [signature(secret, identifier, timestamp, content) for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": "Carillon",
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def signature(secret: str, identifier: str, timestamp: int, content: bytes) -> str:
    """`v1,…` of one secret, `whsec_` and base64. Raises BadSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("a secret is whsec_ and base64") from None
    if not key:
        raise BadSecret("a secret is empty")
    digest = hmac.digest(key, f"{identifier}.{timestamp}.".encode() + content, "sha256")
    return "v1," + base64.b64encode(digest).decode()
