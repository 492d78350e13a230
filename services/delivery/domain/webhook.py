"""A webhook as its receiver gets it: the body, and headers that prove where it comes from (Standard Webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from libs.runtime.clock import iso
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.rendering import link
from services.delivery.errors import Invalid

_PREFIX = "whsec_"


def body(delivery: Delivery, link_base: str | None) -> bytes:
    """The same bytes for every attempt of a delivery."""
    content = delivery.content
    data: dict[str, Any] = {
        "notificationId": str(content.notification),
        "tenantId": delivery.tenant,
        "title": content.title,
        "message": content.message,
        "severity": content.severity,
        "actionUrl": link(content.action_url, link_base),
    }
    return orjson.dumps(
        {"type": content.type, "timestamp": iso(delivery.created_at), "data": data | dict(content.document)}
    )


def headers(delivery: Delivery, content: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """`webhook-id` is the same for every attempt: a receiver can tell a repeat by it. Raises Invalid."""
    identifier, timestamp = str(delivery.id), int(now.timestamp())
    signatures = [signature(secret, identifier, timestamp, content) for secret in secrets]
    if not signatures:
        raise Invalid("bad-secret", detail="the endpoint has no secret")
    found = {
        "content-type": "application/json",
        "user-agent": "Carillon",
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
    if delivery.traceparent:
        found["traceparent"] = delivery.traceparent
    return found


def signature(secret: str, identifier: str, timestamp: int, content: bytes) -> str:
    """`v1,…` of one secret, `whsec_` and base64. Raises Invalid."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("bad-secret", detail="a secret is whsec_ and base64") from None
    if not key:
        raise Invalid("bad-secret", detail="a secret is empty")
    signed = f"{identifier}.{timestamp}.".encode() + content
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
