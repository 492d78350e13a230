"""What is handed on after a batch was written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.router.domain.incoming import Dead, Received
from services.router.domain.notification import Key, Notification, RoomPlace, emission

RoomKey = tuple[str, str]  # tenant, room


@dataclass(frozen=True, slots=True)
class Emission:
    """A notification that stands in its rooms and may be shown."""

    notification: Notification
    places: Sequence[RoomPlace]


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that can be made now."""

    tenant: str
    id: UUID
    channel: str


@dataclass(slots=True)
class Handover:
    """What a batch leaves to others: gateways, delivery, the topics of services, and the dead letters."""

    emissions: list[Emission] = field(default_factory=list)
    deliveries: list[DueDelivery] = field(default_factory=list)
    forwards: list[tuple[str, Received]] = field(default_factory=list)  # topic without prefix, event
    dead: list[Dead] = field(default_factory=list)

    def add(self, other: Handover) -> None:
        """Takes over what another batch leaves, behind its own."""
        self.emissions += other.emissions
        self.deliveries += other.deliveries
        self.forwards += other.forwards
        self.dead += other.dead

    def rooms(self) -> set[RoomKey]:
        """All rooms in which somebody may be listening."""
        return {(e.notification.tenant, place.room) for e in self.emissions for place in e.places}

    def emission_records(self, interest: Mapping[RoomKey, Sequence[int]]) -> dict[int, list[tuple[Key, bytes]]]:
        """The records for each gateway slot, in the order of the batch; each notification is encoded once."""
        records: dict[int, list[tuple[Key, bytes]]] = defaultdict(list)
        for e in self.emissions:
            tenant = e.notification.tenant
            slots = {slot for place in e.places for slot in interest.get((tenant, place.room), ())}
            if slots:
                encoded = emission(e.notification, e.places)
                for slot in sorted(slots):
                    records[slot].append((e.notification.key, encoded))
        return records
