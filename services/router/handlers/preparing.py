"""From decoded records to a batch that can be written: duplicates, audiences, decisions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.catalogue.types import NotificationType
from libs.rules.person import Person
from libs.rules.preferences import disturbs
from libs.runtime.clock import Clock, utc_now
from libs.schemas import rooms
from libs.schemas.preferences import TenantPreferences
from libs.schemas.records import AcceptedEvent
from services.router.domain.audience import Asked, Audience, AudienceRules, asked, resolve
from services.router.domain.broadcasting import Broadcast, is_platform_wide
from services.router.domain.handover import RoomKey
from services.router.domain.incoming import Dead, Received, Record, condemned
from services.router.domain.notification import Notification
from services.router.domain.offsets import Fate, Stretch
from services.router.domain.planning import Circumstances, Plan, endpoints_asked_for, people_asked_for, plan
from services.router.domain.scheduling import schedule, users_of
from services.router.domain.targeting import Found
from services.router.ports import Admins, Catalogues, Directory, Endpoints, Nearby, Outcome, People, Writing

Unit = Received | Dead


@dataclass(frozen=True, slots=True)
class _Candidate:
    received: Received
    kind: NotificationType
    catalogue_version: str
    asked: Asked

    @property
    def org_room(self) -> RoomKey | None:
        """The organisation whose admins must be known."""
        return (self.received.event.tenant, rooms.org(self.asked.org)) if self.asked.org else None


@dataclass(frozen=True, slots=True)
class _Addressed:
    received: Received
    kind: NotificationType
    catalogue_version: str
    audience: Audience


class Preparation:
    """Decides what a batch leads to; asks the directory at most four times a batch, and only where a rule needs it."""

    def __init__(
        self,
        directory: Directory,
        catalogues: Catalogues,
        rules: AudienceRules,
        *,
        deliverable: Collection[str],
        audience_limit: int,
        offline_grace: timedelta,
        clock: Clock = utc_now,
    ) -> None:
        self._directory, self._catalogues, self._rules = directory, catalogues, rules
        self._deliverable, self._limit = frozenset(deliverable), audience_limit
        self._offline_grace, self._clock = offline_grace, clock

    async def prepare(self, units: Sequence[Unit], verified: Stretch | None) -> tuple[Writing, list[Unit]]:
        """The batch to write, and the units as judged now: an event that cannot be planned is dead."""
        await self._learn_types(units)
        steps = self._candidates(units)
        admins, near = await self._admins(steps), await self._nearby(steps)
        addressed = [self._address(step, admins, near) if isinstance(step, _Candidate) else step for step in steps]
        people = await self._people(addressed)
        endpoints = await self._endpoints(addressed)
        now = people.as_of or self._clock()
        planned = [
            self._plan(step, people, endpoints, now)
            if isinstance(step, _Addressed)
            else schedule(step, partial(_zone, people, step.event.tenant), self._kind(step.event)[0].sensitive)
            if isinstance(step, Received)
            else step
            for step in addressed
        ]
        judged = [step if isinstance(step, Dead) else unit for step, unit in zip(planned, units, strict=True)]
        written: list[tuple[Record, Outcome]] = [
            (unit.record, Fate.DEAD if isinstance(step, Dead) else step)
            for unit, step in zip(units, planned, strict=True)
        ]
        return Writing(written, _earliest(admins.as_of, near.as_of, people.as_of), verified), judged

    async def _learn_types(self, units: Sequence[Unit]) -> None:
        """An event of a type that nobody knows here: ingest, which accepted it, learned of the type before this did."""
        events = (unit.event for unit in units if isinstance(unit, Received))
        if any(self._catalogues.of(event.tenant).get(event.type) is None for event in events):
            await self._catalogues.refresh()

    def _candidates(self, units: Sequence[Unit]) -> list[_Candidate | Received | Broadcast | Dead | Fate]:
        """What is to be addressed now; what waits for its time stays as it was received."""
        seen: set[tuple[str, UUID, bool, bool]] = set()
        steps: list[_Candidate | Received | Broadcast | Dead | Fate] = []
        for unit in units:
            if isinstance(unit, Dead):
                steps.append(unit)
                continue
            event = unit.event
            is_scheduled, is_for_all = event.deliver_at is not None, is_platform_wide(event)
            # An event that waits, or is for all tenants, and what is told of it in the end bear the same id: neither is
            # the other's repeat.
            if (key := (event.tenant, event.id, is_scheduled, is_for_all)) in seen:
                steps.append(Fate.DUPLICATE)
                continue
            seen.add(key)
            if is_scheduled:
                steps.append(unit)
                continue
            if is_for_all:
                steps.append(Broadcast(unit, self._kind(event)[0].sensitive))
                continue
            kind, version = self._kind(event)
            steps.append(_Candidate(unit, kind, version, asked(event, kind, self._rules)))
        return steps

    def _kind(self, event: AcceptedEvent) -> tuple[NotificationType, str]:
        """Its type, and the version of the catalogue that says so."""
        catalogue = self._catalogues.of(event.tenant)
        return catalogue.get(event.type) or catalogue.find(event.event, event.name), catalogue.version

    async def _admins(self, steps: Sequence[object]) -> Admins:
        asked = {step.org_room for step in steps if isinstance(step, _Candidate) and step.org_room is not None}
        if not asked:
            return Admins({})
        return await self._directory.admins(asked, self._rules.alert_roles, self._limit)

    async def _nearby(self, steps: Sequence[object]) -> Nearby:
        asked_for = {step.asked.near for step in steps if isinstance(step, _Candidate) and step.asked.near is not None}
        return await self._directory.nearby(list(asked_for), self._limit) if asked_for else Nearby({})

    def _address(self, step: _Candidate, admins: Admins, near: Nearby) -> _Addressed | Dead:
        found = admins.by_room.get(step.org_room, ()) if step.org_room is not None else ()
        if len(found) > self._limit:
            reason = f"{step.org_room} has more than {self._limit} admins"
            return condemned(step.received, "audience-too-large", reason)
        nearby = near.by_search.get(step.asked.near, ()) if step.asked.near is not None else ()
        answers = Found(found, nearby[: self._limit], len(nearby) > self._limit)
        audience = resolve(step.received.event, step.kind, self._rules, answers)
        return _Addressed(step.received, step.kind, step.catalogue_version, audience)

    async def _people(self, steps: Sequence[object]) -> People:
        asked = {
            (step.received.event.tenant, user)
            for step in steps
            if isinstance(step, _Addressed)
            for user in people_asked_for(step.received.event, step.kind, step.audience)
        }
        for step in steps:
            if isinstance(step, Received):  # whose clocks it waits for, and the tenant's own
                asked |= {(step.event.tenant, user) for user in ("", *users_of(step.event))}
        return await self._directory.people(asked) if asked else People({})

    async def _endpoints(self, steps: Sequence[object]) -> Endpoints:
        asked = {
            step.received.event.tenant
            for step in steps
            if isinstance(step, _Addressed) and endpoints_asked_for(step.received.event, step.kind)
        }
        return await self._directory.endpoints(asked) if asked else {}

    def silent(self, people: Mapping[RoomKey, Person]) -> Callable[[Notification, RoomKey], bool]:
        """Tells which notifications are shown without sound in which of these people's rooms now (S13)."""
        now = self._clock()

        def is_silent(notification: Notification, room: RoomKey) -> bool:
            person = people.get(room)
            kind = self._catalogues.of(notification.tenant).get(notification.type) if person is not None else None
            return person is not None and kind is not None and not disturbs(person, kind, notification.severity, now)

        return is_silent

    def _plan(self, step: _Addressed, people: People, endpoints: Endpoints, now: datetime) -> Plan | Dead:
        try:
            return plan(
                step.received,
                step.kind,
                step.audience,
                people.by_key,
                Circumstances(self._deliverable, step.catalogue_version, now, self._offline_grace),
                tenant_endpoints=endpoints.get(step.received.event.tenant, ()),
            )
        except (TypeError, ValueError, RecursionError) as error:
            # JSON that a parser took and no encoder or database would: numbers beyond 64 bits, nesting without end.
            return condemned(step.received, "unstorable-value", f"{type(error).__name__}: {error}")


def _zone(people: People, tenant: str, user: str | None) -> ZoneInfo:
    known = people.by_key.get((tenant, user)) if user is not None else None
    return (known or Person({}, tenant=people.tenants.get(tenant, TenantPreferences()))).clock


def _earliest(*moments: datetime | None) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return min(known) if known else None
