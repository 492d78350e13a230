"""What providers say of deliveries after they took them, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.ingest.domain.suppressions import Reason

Event = Literal["sent", "delivered", "failed", "bounced", "complained", "opted-out"]

_IN_DOUBT = ("sending", "unknown")
_TAKEN = (*_IN_DOUBT, "sent")


@dataclass(frozen=True, slots=True)
class Report:
    """A provider's word. The delivery is known by its own id or by the provider's for the message.

    `address` is what was written to, where the provider says so; else it is the person's. `code` is the provider's.
    """

    event: Event
    provider: str
    delivery: tuple[str, UUID] | None = None  # tenant, id
    message_id: str | None = None
    address: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """A delivery that is in one of the `before` states comes into `state`; the address is suppressed for `reason`."""

    state: str | None
    before: tuple[str, ...]
    reason: Reason | None = None
    failed: bool = False


EFFECTS: dict[Event, Effect] = {
    "sent": Effect("sent", ("unknown",)),
    "delivered": Effect("delivered", _TAKEN),
    "failed": Effect("failed", _TAKEN, failed=True),
    # Some servers take a message first and send it back later.
    "bounced": Effect("bounced", (*_TAKEN, "delivered"), "bounced"),
    "complained": Effect("delivered", _TAKEN, "complained"),
    "opted-out": Effect("failed", _TAKEN, "opted-out", failed=True),
}

REASONS: dict[Event, str] = {
    "sent": "sent",
    "delivered": "delivered",
    "failed": "reported-failed",
    "bounced": "bounced",
    "complained": "complained",
    "opted-out": "recipient-opted-out",
}
