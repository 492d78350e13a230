"""What the router needs from the world. A call raises what PostgreSQL or Kafka raise; the handlers decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from libs.catalogue.catalogue import Catalogue
from libs.rules.person import Person
from libs.schemas.events import EventName
from libs.schemas.preferences import TenantPreferences
from services.router.domain.broadcasting import Broadcast
from services.router.domain.endpoints import Endpoint
from services.router.domain.handover import DueDelivery, Emission, Handover, Publication, RoomKey
from services.router.domain.incoming import Record
from services.router.domain.nearness import Search
from services.router.domain.notification import Key, RoomPlace
from services.router.domain.offsets import Fate, Partition, Stretch
from services.router.domain.planning import PersonKey, Plan, PlannedDelivery
from services.router.domain.scheduling import Schedule
from services.router.domain.withdrawing import Withdrawn


@dataclass(frozen=True, slots=True)
class Admins:
    """User ids by organisation's room, each at most one more than the limit; `as_of` is the database's time."""

    by_room: Mapping[RoomKey, tuple[str, ...]]
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Nearby:
    """User ids by search, the nearest first, each at most one more than the limit; `as_of` is the database's time."""

    by_search: Mapping[Search, tuple[str, ...]]
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class People:
    """Whom the directory knows; `as_of` is the database's time. `tenants` are those that have preferences."""

    by_key: Mapping[PersonKey, Person]
    as_of: datetime | None = None
    tenants: Mapping[str, TenantPreferences] = field(default_factory=dict)


Endpoints = Mapping[str, Sequence[Endpoint]]  # by tenant


class Catalogues(Protocol):
    """The notification types of every tenant, as of seconds ago."""

    def of(self, tenant: str) -> Catalogue:
        """The tenant's catalogue."""

    async def then(self, tenant: str, version: str) -> Catalogue:
        """The tenant's catalogue of a version."""

    async def refresh(self) -> None:
        """Learns what changed."""


class Directory(Protocol):
    """Who is who, now."""

    async def admins(self, rooms: Collection[RoomKey], roles: Collection[str], limit: int) -> Admins:
        """The members of organisations who have one of the roles."""

    async def nearby(self, searches: Sequence[Search], limit: int) -> Nearby:
        """Who has a role and is near a point."""

    async def people(self, keys: Collection[PersonKey]) -> People:
        """Addresses and preferences."""

    async def endpoints(self, tenants: Collection[str]) -> Endpoints:
        """Where the tenants' notifications may be posted to."""


#: What a record leads to: a notification, something that is told later, or the fate that it already has.
Outcome = Plan | Schedule | Broadcast | Fate

#: What is told later, and what as: what an event for all tenants that waited becomes in the end has its key.
Later = tuple[type[Schedule | Broadcast], Key]


@dataclass(frozen=True, slots=True)
class Writing:
    """A batch to be written: every record with what it leads to. `as_of`: when the
    directory was read, None where it was not needed. `verified`: offsets that hold no records but these."""

    units: Sequence[tuple[Record, Outcome]]
    as_of: datetime | None = None
    verified: Stretch | None = None

    def fates(self, inserted: Collection[Key], taken: Collection[Later]) -> list[tuple[Record, Fate]]:
        """What became of every record, when these notifications were inserted and these events wait since now."""

        def fate(step: Outcome) -> Fate:
            if isinstance(step, Fate):
                return step
            # What is told of an event that waited has its id, and may stand in one batch with a repeat of it.
            is_new = step.key in inserted if isinstance(step, Plan) else (type(step), step.key) in taken
            return Fate.ACCEPTED if is_new else Fate.DUPLICATE

        return [(record, fate(step)) for record, step in self.units]


@dataclass(frozen=True, slots=True)
class Written:
    """The notifications that this transaction inserted, with their places; the others were there before.

    `withdrawn` are older ones that they replace, with the places of the control entries. `due` can be sent now.
    `taken` are the events that are told later and wait since this transaction.
    """

    places: Mapping[Key, tuple[RoomPlace, ...]]
    withdrawn: Sequence[tuple[Withdrawn, tuple[RoomPlace, ...]]] = ()
    due: Sequence[DueDelivery] = ()
    taken: frozenset[Later] = frozenset()
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class Interest:
    """The gateway slots in which somebody listens to a room, and of personal rooms who may not want to be disturbed."""

    slots: dict[RoomKey, list[int]] = field(default_factory=dict)
    people: dict[RoomKey, Person] = field(default_factory=dict)


class Ledger(Protocol):
    """The record of everything that was decided."""

    async def write(self, writing: Writing) -> Written:
        """Writes a batch in one transaction. Raises services.router.errors.Missing when offsets were passed over."""

    async def read_back(self, keys: Collection[Key]) -> tuple[list[Emission], list[DueDelivery]]:
        """What was written of these notifications before; the deliveries that nobody has taken up."""

    async def interest(self, rooms: Collection[RoomKey]) -> Interest:
        """Who listens to the rooms."""


class Outbox(Protocol):
    """Hands work on through Kafka."""

    async def hand_on(self, handover: Handover, interest: Mapping[RoomKey, Sequence[int]]) -> None:
        """Returns when every record is acknowledged."""


class KafkaLog(Protocol):
    """Partitions, read by offset and beside the consumer group."""

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        """The first offset and the end offset of each."""

    async def read(self, stretch: Stretch, limit: int) -> tuple[list[Record], int]:
        """Up to `limit` records of a stretch, and the offset up to which it holds no others."""


class Reached(Protocol):
    """How far the routers have come."""

    async def stored(self, topics: Collection[str]) -> Mapping[Partition, int]:
        """The next offset of every partition of these topics that any router has opened."""


class Positions(Reached, Protocol):
    """How far this process knows each partition to have come."""

    async def open(self, partitions: Collection[Partition]) -> None:
        """Learns the next offset of those that are not known yet."""

    def assigned_anew(self, partitions: Collection[Partition]) -> None:
        """What is known of them may be old."""

    def next_offsets(self) -> Mapping[Partition, int]:
        """Of all partitions that were opened."""


@dataclass(frozen=True, slots=True)
class Members:
    """Some members of a group whose decisions are due; None where the directory does not know the person any more."""

    tenant: str
    notification: UUID
    event: EventName
    type: str
    name: str | None
    catalogue_version: str
    severity: str
    urgency: int
    expires_at: datetime | None
    as_of: datetime
    digest_key: str
    named: bool
    channels: tuple[str, ...]
    people: Sequence[tuple[str, Person | None]]


class Page(Protocol):
    """Members that nobody else is deciding: the transaction that holds them is open."""

    @property
    def members(self) -> Members:
        """Whom to decide."""

    async def record(self, deliveries: Sequence[PlannedDelivery]) -> list[DueDelivery]:
        """Writes the decisions and moves the cursor on; returns the planned ones that were not there before."""


class Expansions(Protocol):
    """Groups whose members are decided one by one."""

    def next_page(self, after_tenant: str, size: int) -> AbstractAsyncContextManager[Page | None]:
        """A page of the next tenant's oldest expansion, committed when the block ends; None when nothing is open."""


@dataclass(frozen=True, slots=True)
class Look:
    """Of which kinds of work some is due."""

    scheduled: bool
    broadcasts: bool
    digests: bool
    cancellations: bool


class DueWork(Protocol):
    """Work whose time comes without an event. Turns go on behind the tenant `after`; of a tenant at most `per_tenant`
    are taken at once."""

    async def look(self) -> Look:
        """What is due now."""

    def scheduled(
        self, per_tenant: int, limit: int, after: str
    ) -> AbstractAsyncContextManager[Sequence[tuple[str, Publication]]]:
        """Events whose time has come, each with its tenant; they are handed on when the block ends without error."""

    def broadcast(self, size: int) -> AbstractAsyncContextManager[Sequence[Publication]]:
        """A page of tenants that an event for all of them is told in next; handed on like `scheduled`."""

    async def close_digests(self, per_tenant: int, limit: int, after: str) -> tuple[str, list[DueDelivery]]:
        """Closes digests that are due; returns behind which tenant to go on, and what is to be sent."""

    async def cancel(self, limit: int) -> Sequence[tuple[Withdrawn, tuple[RoomPlace, ...]]]:
        """Carries out requests to cancel; returns what was withdrawn, with the places of the control entries."""

    async def tidy(self) -> None:
        """Removes what says nothing any more."""
