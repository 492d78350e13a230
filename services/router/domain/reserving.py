"""Throttles and digests: what is admitted, and in which digest something stands. The caller holds the locks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.rules.decisions import Deferred, Digested, Planned, Throttle
from services.router.domain.notification import Notification
from services.router.domain.planning import PlannedDelivery


@dataclass(frozen=True, slots=True)
class Stored:
    """What a delivery needs to know of a notification that was written before."""

    tenant: str
    id: UUID
    type: str
    traceparent: str | None
    expires_at: datetime | None
    urgency: int


Made = tuple[Notification | Stored, PlannedDelivery]
ThrottleKey = tuple[str, str, str, str]  # tenant, user id, channel, type
DigestKey = tuple[str, str, str, str]  # tenant, user id, channel, key


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest that collects. `urgency` is that of its most urgent item."""

    id: UUID
    reason: str
    items: int
    max_items: int
    closes_at: datetime
    urgency: int

    @property
    def full(self) -> bool:
        """Whether nothing more fits."""
        return self.items >= self.max_items

    def with_item(self, urgency: int) -> Digest:
        """The digest with one more."""
        return replace(self, items=self.items + 1, urgency=min(self.urgency, urgency))


def throttle_of(delivery: PlannedDelivery) -> Throttle | None:
    """What the decision still has to pass."""
    return delivery.decision.throttle if isinstance(delivery.decision, Planned | Deferred) else None


def reserves(delivery: PlannedDelivery) -> bool:
    """Whether the decision takes a place in a throttle or a digest."""
    return throttle_of(delivery) is not None or isinstance(delivery.decision, Digested)


def throttle_key(made: Made) -> ThrottleKey:
    """By what a delivery is counted."""
    notification, delivery = made
    return notification.tenant, delivery.user_id, delivery.channel, notification.type


def digest_key(made: Made, decision: Digested) -> DigestKey:
    """By what a delivery is collected."""
    return made[0].tenant, made[1].user_id, made[1].channel, decision.key


def admit(taken: Sequence[datetime], throttle: Throttle, now: datetime) -> tuple[bool, list[datetime]]:
    """Whether one more is admitted now, and the times to be kept: in no span of the throttle are there more than its
    limit."""
    since = now - timedelta(seconds=throttle.seconds)
    recent = [at for at in taken if at > since]
    if len(recent) >= throttle.limit:
        return False, recent
    return True, [*recent, now]


def collect(
    digest: Digest, wanted: Sequence[tuple[UUID, Digested, int]], new_id: Callable[[], UUID]
) -> tuple[list[Digest], dict[UUID, UUID]]:
    """Puts deliveries (id, decision, urgency) into a digest in their order, and into further ones as each is full.

    Returns the digests as they are then, and of each delivery the digest's id.
    """
    filled, place = [digest], {}
    for delivery, decision, urgency in wanted:
        if filled[-1].full:
            fresh = Digest(new_id(), decision.reason, 0, decision.max_items, decision.closes_at, urgency)
            filled.append(fresh)
        filled[-1] = filled[-1].with_item(urgency)
        place[delivery] = filled[-1].id
    return filled, place
