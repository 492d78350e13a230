"""Events for people who are named."""

from __future__ import annotations

from typing import Any

from libs.runtime.clock import utc_now
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent
from tests.unit.router.events import accepted


def to(*users: str, **fields: Any) -> AcceptedEvent:
    """A service event for them."""
    named: dict[str, Any] = {"name": "shop.order.updated", "recipients": Recipients(user_ids=users)}
    return accepted(**named | fields)


def by_email(*users: str, **fields: Any) -> AcceptedEvent:
    """The same by email, with a time that was just now."""
    named: dict[str, Any] = {"channels": ("in-app", "email"), "accepted_at": utc_now()}
    return to(*users, **named | fields)


def alert(**fields: Any) -> AcceptedEvent:
    """An alert that something is down."""
    return accepted("service.alert", title="Down", message="It is down", **fields)
