"""What one event leads to: the notification, its rooms, a decision for every person and channel, and what follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.catalogue.types import NotificationType
from libs.rules.decisions import Because, Decision, Planned
from libs.rules.person import Person
from libs.rules.preferences import Offer, decide, refusal
from libs.runtime.ids import delivery_id
from libs.schemas.events import ENDPOINT_CHANNELS
from libs.schemas.records import AcceptedEvent
from libs.schemas.rooms import user
from services.router.domain import endpoints
from services.router.domain.audience import Audience, Forward
from services.router.domain.endpoints import Endpoint
from services.router.domain.incoming import Received
from services.router.domain.notification import Key, Notification
from services.router.domain.storing import IN_APP, said, stored
from services.router.domain.timing import digest_key, expiry

NO_ENDPOINT = "no-endpoint"
_OWN_ROOM = user("")

_IMPERSONAL = ENDPOINT_CHANNELS | {IN_APP}  # on these no address or preference of a person matters

PersonKey = tuple[str, str]  # tenant, user id


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """A row of `deliveries`: what was decided for one person and channel."""

    id: UUID
    user_id: str
    channel: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Expansion:
    """A group whose members are decided one by one, later and in pages."""

    room: str
    channels: tuple[str, ...]
    digest_key: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds beside the event: the external channels that somebody delivers on, the version of the catalogue, when
    the directory was read, and how long a person may take to come back to their socket."""

    deliverable: Collection[str]
    catalogue_version: str
    now: datetime
    offline_grace: timedelta


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one event leads to."""

    received: Received
    notification: Notification
    deliveries: tuple[PlannedDelivery, ...]
    expansions: tuple[Expansion, ...]
    forwards: tuple[Forward, ...]

    @property
    def key(self) -> Key:
        """What the notification is known by."""
        return self.notification.key

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The paths of what is to be sealed."""
        return self.notification.sensitive

    @property
    def subject(self) -> str:
        """The only person whom it is for, as erasing sees it; '' where there are others, or a group."""
        rooms = self.notification.rooms
        if self.expansions or not all(room.startswith(_OWN_ROOM) for room in rooms):
            return ""
        people = {room.removeprefix(_OWN_ROOM) for room in rooms}
        people |= {d.user_id for d in self.deliveries if d.channel not in ENDPOINT_CHANNELS}
        return people.pop() if len(people) == 1 else ""


def channels_of(event: AcceptedEvent, kind: NotificationType) -> tuple[tuple[str, ...], bool]:
    """The channels of an event, and whether the event itself names them."""
    return (tuple(dict.fromkeys(event.channels)), True) if event.channels else (kind.channels, False)


def people_asked_for(event: AcceptedEvent, kind: NotificationType, audience: Audience) -> tuple[str, ...]:
    """The users of whom the plan needs address and preferences: none where all channels are in-app."""
    channels, _ = channels_of(event, kind)
    return audience.people if any(channel not in _IMPERSONAL for channel in channels) else ()


def endpoints_asked_for(event: AcceptedEvent, kind: NotificationType) -> bool:
    """Whether the plan needs to know the tenant's endpoints."""
    return endpoints.needed(channels_of(event, kind)[0])


def plan(
    received: Received,
    kind: NotificationType,
    audience: Audience,
    people: Mapping[PersonKey, Person],
    circumstances: Circumstances,
    tenant_endpoints: Collection[Endpoint] = (),
) -> Plan:
    """The plan of one event. Raises TypeError (orjson.JSONEncodeError) for data that JSON in the database cannot hold.

    `tenant_endpoints` are those of the event's tenant.
    """
    now = circumstances.now
    event = received.event
    channels, named = channels_of(event, kind)
    expires_at = expiry(event, kind)
    over = expires_at is not None and expires_at <= now
    offers = [
        Offer(
            kind,
            channel,
            now,
            named=named,
            deliverable=channel in circumstances.deliverable,
            severity=event.severity,
            expires_at=expires_at,
            digest_key=digest_key(kind, said(event, kind)) if kind.digest is not None else "",
            offline_grace=circumstances.offline_grace,
        )
        for channel in channels
        if channel != IN_APP
    ]
    posts, unposted = _posts(event, offers, tenant_endpoints)
    personal = [offer for offer in offers if offer.channel not in _IMPERSONAL]
    deliveries = (*_personal(event, audience, people, personal), *posts)
    refused = {offer.channel: refusal(offer) for offer in personal} if audience.groups else {}
    open_channels = tuple(channel for channel, why in refused.items() if why is None)
    notes = (*audience.notes, *(f"{why}:{channel}" for channel, why in refused.items() if why is not None), *unposted)
    if over:
        notes = (*notes, "expired")
    key = personal[0].digest_key if personal else ""
    return Plan(
        received,
        stored(
            received,
            kind,
            audience,
            notes,
            audience.rooms if IN_APP in channels and not over else (),
            len(deliveries),
            circumstances.catalogue_version,
            expires_at,
        ),
        deliveries,
        tuple(Expansion(room, open_channels, key) for room in audience.groups) if open_channels else (),
        audience.forwards,
    )


def _personal(
    event: AcceptedEvent, audience: Audience, people: Mapping[PersonKey, Person], offers: Collection[Offer]
) -> list[PlannedDelivery]:
    if not offers:
        return []
    return [
        PlannedDelivery(
            delivery_id(event.id, offer.channel, user),
            user,
            offer.channel,
            decide(people.get((event.tenant, user)), offer),
        )
        for user in audience.people
        for offer in offers
    ]


def _posts(
    event: AcceptedEvent, offers: Collection[Offer], tenant_endpoints: Collection[Endpoint]
) -> tuple[list[PlannedDelivery], list[str]]:
    """What is posted to the tenant's endpoints, and notes of the channels on which nothing is."""
    posts: list[PlannedDelivery] = []
    notes: list[str] = []
    for offer in offers:
        channel = offer.channel
        if channel not in ENDPOINT_CHANNELS:
            continue
        why = refusal(offer)
        wanting = [
            e.recipient for e in tenant_endpoints if e.channel == channel and e.wants(event.event, offer.kind.key)
        ]
        if why is not None or not wanting:
            notes.append(f"{why or NO_ENDPOINT}:{channel}")
            continue
        decision = Planned(Because.CHANNEL_NAMED if offer.named else Because.TYPE_DEFAULT)
        posts += [PlannedDelivery(delivery_id(event.id, channel, to), to, channel, decision) for to in wanting]
    return posts, notes
