"""What a notification would have been under another catalogue: planned anew by the router's own rules, both times."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from libs.catalogue.catalogue import Catalogue
from libs.catalogue.texts import texts
from libs.catalogue.types import NotificationType
from libs.rules.person import Person
from libs.schemas import rooms
from libs.schemas.events import ENDPOINT_CHANNELS
from libs.schemas.records import AcceptedEvent, Source
from services.router.domain.audience import Asked, Audience, AudienceRules, Rule, asked, resolve
from services.router.domain.endpoints import Endpoint
from services.router.domain.incoming import Received, Record
from services.router.domain.planning import Circumstances, PersonKey, Plan, channels_of, plan
from services.router.domain.storing import IN_APP, said
from services.router.domain.targeting import Found

NOTHING = "nothing"
_GRACE = timedelta(seconds=30)
_NOWHERE = Record("", 0, 0, None, None, (), 0.0)
Told = dict[tuple[str, str], str]  # (channel, to whom) → what, and why


@dataclass(frozen=True, slots=True)
class Difference:
    """On a channel, to a person, room or endpoint: what was, and what would be."""

    channel: str
    to: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Both:
    """An event with its type in both catalogues. `users` are those whose own rooms were addressed."""

    event: AcceptedEvent
    planned_at: datetime
    before: NotificationType
    after: NotificationType
    users: tuple[str, ...]

    @property
    def kinds(self) -> tuple[NotificationType, NotificationType]:
        """The types, the old one first."""
        return self.before, self.after

    @property
    def unchanged(self) -> bool:
        """Whether the catalogues say the same of it."""
        return self.before is self.after or self.before == self.after

    @property
    def nearness_differs(self) -> bool:
        """Whether they look for people near a point in different ways: who was near is not recorded."""
        return self.before.audience.near != self.after.audience.near and not self.event.recipients

    def asked(self, rules: AudienceRules) -> Asked:
        """What the directory is to be asked about that time."""
        found = [asked(self.event, kind, rules) for kind in self.kinds]
        return next((one for one in found if one.org), found[0])

    def audiences(self, rules: AudienceRules, admins: tuple[str, ...]) -> tuple[Audience, Audience]:
        """Whom it was for, and would be for. Who was near is who was addressed."""

        def of(kind: NotificationType) -> Audience:
            near = self.users if kind.audience.near is not None else ()
            return resolve(self.event, kind, rules, Found(admins, near))

        return of(self.before), of(self.after)

    def plans(
        self,
        audiences: tuple[Audience, Audience],
        people: Mapping[PersonKey, Person],
        deliverable: Collection[str],
        endpoints: Collection[Endpoint],
    ) -> tuple[Plan, Plan]:
        """The plans, by the people and preferences of that time."""
        received = Received(_NOWHERE, self.event, "")
        circumstances = Circumstances(deliverable, "", self.planned_at, _GRACE)
        old, new = (
            plan(received, kind, audience, people, circumstances, endpoints)
            for kind, audience in zip(self.kinds, audiences, strict=True)
        )
        return old, new


def both(row: Mapping[str, Any], old: Catalogue, new: Catalogue) -> Both | None:
    """A row of `notifications` with its type in both catalogues; None when the old one has it no more.

    What the event itself gave is what the old type does not account for: texts, expiry, collapse key.
    """
    kind = old.get(row["type"])
    if kind is None:
        return None
    found = old.find(row["event"], row["name"]).key == kind.key
    after = new.find(row["event"], row["name"]) if found else new.get(kind.key) or kind
    addressed = tuple(row["rooms"]) or tuple(row["audience"].get("rooms", ()))
    users = tuple(room[5:] for room in addressed if room.startswith("user:"))
    return Both(_event(row, kind), row["planned_at"], kind, after, users)


def _event(row: Mapping[str, Any], kind: NotificationType) -> AcceptedEvent:
    extras = {name: value for name, value in row["extras"].items() if name != "excluded"}
    plain = ("id", "tenant", "event", "type", "name", "severity", "priority", "metadata", "data", "accepted_at")
    event = AcceptedEvent.model_validate(
        extras | {name: row[name] for name in plain} | {"source": Source(topic="").model_dump()}
    )
    rendered = texts(kind, IN_APP, said(event, kind))
    lasts = kind.expires_after_seconds
    own_expiry = lasts is not None and row["expires_at"] == row["accepted_at"] + timedelta(seconds=lasts)
    return event.model_copy(
        update={
            "title": None if row["title"] == rendered.title else row["title"],
            "message": None if row["message"] == rendered.message else row["message"],
            "expires_at": None if own_expiry else row["expires_at"],
            "collapse_key": None if kind.collapse_key else row["collapse_key"],
        }
    )


def differences(old: Plan, new: Plan) -> Iterator[Difference]:
    """What differs, but for what is decided of members of groups one by one."""
    yield from _compared(_told(old), _told(new))
    before, after = ((p.notification.title, p.notification.message) for p in (old, new))
    if before != after:
        yield Difference(IN_APP, "everybody", "its texts", "other texts")
    if old.notification.expires_at != new.notification.expires_at:
        yield Difference(IN_APP, "everybody", "its expiry", "another expiry")


def of_members(
    event: Both,
    room: str,
    audiences: tuple[Audience, Audience],
    members: Mapping[str, Person | None],
    deliverable: Collection[str],
) -> Iterator[Difference]:
    """What differs for some members of a group that was addressed, would be, or both."""
    known = {(event.event.tenant, user): person for user, person in members.items() if person is not None}
    meant = Audience(Rule.NAMED, tuple(rooms.user(user) for user in members))
    old, new = (
        {to: said for to, said in _personal(p).items() if room in audience.rooms and to[1] not in audience.excluded}
        for p, audience in zip(event.plans((meant, meant), known, deliverable, ()), audiences, strict=True)
    )
    yield from _compared(old, new)


def expands(event: Both) -> bool:
    """Whether members of groups are decided one by one in either case."""
    channels = {channel for kind in event.kinds for channel in channels_of(event.event, kind)[0]}
    return not channels <= ENDPOINT_CHANNELS | {IN_APP}


def _told(p: Plan) -> Told:
    return {(IN_APP, room): "shown" for room in p.notification.rooms} | _personal(p)


def _personal(p: Plan) -> Told:
    return {(d.channel, d.user_id): f"{d.decision.state}, {d.decision.reason}" for d in p.deliveries}


def _compared(before: Told, after: Told) -> Iterator[Difference]:
    for channel, to in dict.fromkeys((*before, *after)):
        was, would_be = before.get((channel, to), NOTHING), after.get((channel, to), NOTHING)
        if was != would_be:
            yield Difference(channel, to, was, would_be)
