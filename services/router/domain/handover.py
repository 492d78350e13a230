"""What is handed on after a batch was written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.router.domain.incoming import Dead, Received
from services.router.domain.notification import Key, Notification, RoomPlace, emission
from services.router.domain.withdrawing import Withdrawn, withdrawal

RoomKey = tuple[str, str]  # tenant, room


@dataclass(frozen=True, slots=True)
class Emission:
    """A notification that stands in its rooms and may be shown."""

    notification: Notification
    places: Sequence[RoomPlace]
    silent: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """What the notification is known by."""
        return self.notification.key

    def encoded(self) -> bytes:
        """The record for the gateways."""
        return emission(self.notification, self.places, self.silent)


@dataclass(frozen=True, slots=True)
class Retraction:
    """A control entry that stands in its rooms. `at` is a timestamp of the wire."""

    withdrawn: Withdrawn
    places: Sequence[RoomPlace]
    at: str

    @property
    def key(self) -> Key:
        """What the notification is known by."""
        return self.withdrawn.key

    def encoded(self) -> bytes:
        """The record for the gateways."""
        return withdrawal(self.withdrawn, self.places, self.at)


@dataclass(frozen=True, slots=True)
class Publication:
    """An event whose time has come, on its way to its typed topic."""

    topic: str
    key: bytes | None
    value: bytes
    traceparent: str


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that can be made now."""

    tenant: str
    id: UUID
    channel: str


@dataclass(slots=True)
class Handover:
    """What a batch leaves to others: gateways, delivery, the topics of services, and the dead letters."""

    retractions: list[Retraction] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    deliveries: list[DueDelivery] = field(default_factory=list)
    forwards: list[tuple[str, Received]] = field(default_factory=list)  # topic without prefix, event
    dead: list[Dead] = field(default_factory=list)
    publications: list[Publication] = field(default_factory=list)

    def rooms(self) -> set[RoomKey]:
        """All rooms in which somebody may be listening."""
        return {(shown.key[0], place.room) for shown in self._shown() for place in shown.places}

    def silence(self, is_silent: Callable[[Notification, RoomKey], bool]) -> None:
        """Marks the rooms in which a notification is shown without sound."""
        for number, e in enumerate(self.emissions):
            n = e.notification
            silent = tuple(place.room for place in e.places if is_silent(n, (n.tenant, place.room)))
            if silent:
                self.emissions[number] = replace(e, silent=silent)

    def emission_records(self, interest: Mapping[RoomKey, Sequence[int]]) -> dict[int, list[tuple[Key, bytes]]]:
        """The records for each gateway slot, in the order of the batch; each is encoded once."""
        records: dict[int, list[tuple[Key, bytes]]] = defaultdict(list)
        for one in self._shown():
            slots = {slot for place in one.places for slot in interest.get((one.key[0], place.room), ())}
            if slots:
                encoded = one.encoded()
                for slot in sorted(slots):
                    records[slot].append((one.key, encoded))
        return records

    def _shown(self) -> Sequence[Emission | Retraction]:
        return (*self.retractions, *self.emissions)
