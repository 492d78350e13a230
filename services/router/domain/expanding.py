"""The decisions for a page of a group's members."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.rules.person import Person
from libs.rules.preferences import Offer, decide
from libs.runtime.ids import delivery_id
from services.router.domain.planning import PlannedDelivery


def expand(
    notification: UUID, offers: Sequence[Offer], members: Sequence[tuple[str, Person | None]]
) -> list[PlannedDelivery]:
    """A decision for every member and channel, with the same ids as if each had been addressed in person."""
    return [
        PlannedDelivery(delivery_id(notification, offer.channel, user), user, offer.channel, decide(person, offer))
        for user, person in members
        for offer in offers
    ]
