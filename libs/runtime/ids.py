"""Identifiers that are the same when the same thing happens again."""

from __future__ import annotations

from uuid import UUID, uuid5

NAMESPACE = UUID("5f1c5c52-0d43-5a0a-9d43-0f7f0c3a7e11")

# A separator that no id can contain (ids have no control characters), so parts cannot run into each other.
_SEPARATOR = "\x1f"


def derived(*parts: str) -> UUID:
    """The UUIDv5 of the parts: equal parts, equal id, on every machine and after every crash."""
    return uuid5(NAMESPACE, _SEPARATOR.join(parts))


def delivery_id(notification: UUID, channel: str, user_id: str) -> UUID:
    """The id of the one delivery of a notification to a person on a channel."""
    return derived("delivery", str(notification), channel, user_id)


def endpoint_recipient(endpoint_id: str) -> str:
    """What stands for a tenant's endpoint where a delivery names its person: no person's id holds a blank."""
    return f"endpoint {endpoint_id}"
