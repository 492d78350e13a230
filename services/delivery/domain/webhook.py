"""A webhook as its receiver gets it: the body, and headers that prove where it comes from (Standard Webhooks)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from libs.outbound.signing import BadSecret, signed
from libs.runtime.clock import iso
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.rendering import link
from services.delivery.errors import Invalid


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
    try:
        found = signed(str(delivery.id), int(now.timestamp()), content, secrets)
    except BadSecret as error:
        raise Invalid("bad-secret", detail=str(error)) from None
    return found | {"traceparent": delivery.traceparent} if delivery.traceparent else found
