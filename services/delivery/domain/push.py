"""A push message: short, with a time to live, an urgency, and a topic by which what is newer replaces what is shown."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.delivery.domain.delivery import Delivery
from services.delivery.domain.rendering import UNTITLED, link, one_line

Urgency = Literal["low", "normal", "high"]

_URGENCIES: tuple[Urgency, ...] = ("high", "high", "normal", "low")
_DAY = 86_400
_MAX_TITLE, _MAX_BODY = 200, 1_800  # bytes: with the rest below the 4,096 of every push service


@dataclass(frozen=True, slots=True)
class PushMessage:
    """What is shown, and how it is carried. `ttl` in seconds; `topic` is the same in every attempt, and for all
    notifications of one collapse key."""

    title: str
    body: str
    url: str | None
    notification: str
    urgency: Urgency
    ttl: int
    topic: str


def message(delivery: Delivery, link_base: str | None, now: datetime) -> PushMessage:
    """The push of a delivery. It lives until the delivery expires, a day where it does not."""
    content = delivery.content
    left = _DAY if delivery.expires_at is None else (delivery.expires_at - now).total_seconds()
    return PushMessage(
        title=_cut(one_line(content.title or "") or UNTITLED, _MAX_TITLE),
        body=_cut(one_line(content.message or ""), _MAX_BODY),
        url=link(content.action_url, link_base),
        notification=str(content.notification),
        urgency=_URGENCIES[delivery.urgency],
        ttl=max(0, min(int(left), 28 * _DAY)),
        topic=_topic(delivery),
    )


def data(push: PushMessage) -> dict[str, str]:
    """What an application is told beside the words."""
    found = {"notificationId": push.notification}
    return found | {"url": push.url} if push.url else found


def _topic(delivery: Delivery) -> str:
    key = delivery.content.collapse_key
    named = delivery.id.bytes if key is None else hashlib.sha256(f"{delivery.tenant} {key}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(named).rstrip(b"=").decode()


def _cut(text: str, limit: int) -> str:
    encoded = text.encode("utf-8", "ignore")
    return text if len(encoded) <= limit else encoded[: limit - 3].decode("utf-8", "ignore") + "…"
