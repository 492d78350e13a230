"""The decisions for a page of a group's members."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from libs.catalogue.types import NotificationType
from libs.runtime.ids import delivery_id
from services.router.domain.planning import PlannedDelivery
from services.router.domain.preferences import Person, decide


def expand(
    notification: UUID,
    kind: NotificationType,
    channels: Sequence[str],
    members: Sequence[tuple[str, Person | None]],
    *,
    named: bool,
    deliverable: Collection[str],
) -> list[PlannedDelivery]:
    """A decision for every member and channel, with the same ids as if each had been addressed in person."""
    return [
        PlannedDelivery(
            delivery_id(notification, channel, user),
            user,
            channel,
            decide(person, kind, channel, named=named, deliverable=deliverable),
        )
        for user, person in members
        for channel in channels
    ]
