"""Records between services: the accepted event, the gateway's and delivery's records, dead letters, lifecycle."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, TypeAdapter

from libs.schemas.base import Record, WireModel
from libs.schemas.events import Channel, EventName, Priority, Recipients, Severity


class Source(WireModel):
    """Where a record stood. `topic` is `http` (partition and offset 0) for what came by HTTP."""

    topic: str
    partition: int = 0
    offset: int = 0


class Content(Record):
    """What an event says, from ingest to the socket. `type` is the catalogue key."""

    id: UUID
    tenant: str
    event: EventName
    type: str
    name: str | None = None
    title: str | None = None
    message: str | None = None
    severity: Severity = "normal"
    priority: Priority | None = None
    metadata: dict[str, Any]
    data: dict[str, Any] | None = None
    actor: dict[str, Any] | None = None
    related: dict[str, Any] | None = None
    action_url: str | None = None
    tags: tuple[str, ...] = ()
    expires_at: AwareDatetime | None = None
    collapse_key: str | None = None


class AcceptedEvent(Content):
    """An event that ingest has accepted, on the typed topic of its name.

    `id` is the notification's id. `recipients` is what the producer named; None leaves
    the audience to the rule of the type. `channels` None leaves the channels to the type. `deliver_at` with a zone is
    an instant, without one the time on each recipient's own clock. Headers: `traceparent`.
    """

    recipients: Recipients | None = None
    channels: tuple[Channel, ...] | None = None
    deliver_at: datetime | None = None
    accepted_at: AwareDatetime
    source: Source


class RoomEntry(WireModel):
    """Where a notification stands in one room: `seq` is gap-free within (tenant, room, epoch)."""

    room: str
    epoch: int
    seq: int


class NotificationEmission(Content):
    """A notification for the sockets of one gateway slot.

    `rooms` are all rooms of the notification in their fixed order, not only those that the slot holds: a person is
    shown it in the first that they may read. In the rooms of `silent` it makes no sound: their person is not to be
    disturbed now. The users of `excluded` are not meant, whichever of the rooms they may read.
    """

    kind: Literal["notification"] = "notification"
    created_at: AwareDatetime
    rooms: tuple[RoomEntry, ...]
    silent: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    traceparent: str | None = None


class Withdrawal(Record):
    """A notification is not to be shown any more: it was cancelled, or a newer one of its collapse key replaced it.

    It is a control entry in each room that the notification stands in, so it takes a seq and never counts as unread.
    """

    kind: Literal["withdrawal"] = "withdrawal"
    tenant: str
    notification_id: UUID
    reason: Literal["cancelled", "replaced"]
    at: AwareDatetime
    rooms: tuple[RoomEntry, ...]


StateOperation = Literal[
    "read", "unread", "read_all", "seen", "archived", "unarchived", "snoozed", "unsnoozed", "deleted", "cleared"
]


class StateChange(Record):
    """What a person did to their inbox, for their other sockets. `seq` is gap-free within (tenant, user, epoch).

    `room` and `room_seq` are where the notification exists for the person, where that is known.
    `positions` (read_all, seen, cleared) are the positions up to which each room is meant: `{room: seq}`; `count` says
    how many notifications became read. `until` is when a snoozed notification comes back.
    """

    kind: Literal["state"] = "state"
    tenant: str
    user_id: str
    epoch: int
    seq: int
    operation: StateOperation
    notification_id: UUID | None = None
    room: str | None = None
    room_seq: int | None = None
    positions: dict[str, int] | None = None
    count: int | None = None
    until: AwareDatetime | None = None
    at: AwareDatetime


class MembershipChange(Record):
    """A person's memberships changed: their sockets' rooms must be recomputed from the directory."""

    kind: Literal["membership"] = "membership"
    tenant: str
    user_id: str
    version: int


class Ephemeral(Record):
    """Something that only those hear who listen now: it stands in no log and is lost without harm.

    Typing, and the events that services send to users, tenants or resources. `event` and `payload` go to the client as
    they are, in every namespace. `exclude` is the session that caused it.
    """

    kind: Literal["ephemeral"] = "ephemeral"
    tenant: str
    rooms: tuple[str, ...]
    event: str
    payload: dict[str, Any]
    exclude: str | None = None
    traceparent: str | None = None


PresenceStatus = Literal["ONLINE", "AWAY", "BUSY", "OFFLINE"]


class PresenceChange(Record):
    """A person came, went or changed their status; for everybody in their tenants (F3-1).

    `version` rises with each change of the person, so that an older one that comes late is dropped. `previous` is the
    status before this version; `chosen` tells that the person set it, and did not come or go.
    """

    kind: Literal["presence"] = "presence"
    tenant: str
    user_id: str
    status: PresenceStatus
    custom_status: str | None = None
    last_seen: AwareDatetime | None = None
    version: int
    previous: PresenceStatus = "OFFLINE"
    chosen: bool = False


GatewayRecord = Annotated[
    NotificationEmission | Withdrawal | StateChange | MembershipChange | Ephemeral | PresenceChange,
    Field(discriminator="kind"),
]
GATEWAY_RECORD: TypeAdapter[GatewayRecord] = TypeAdapter(GatewayRecord)


class DeliveryReference(WireModel):
    """One planned delivery, by id; the claim returns its content."""

    tenant: str
    id: UUID


class DeliveryBatch(Record):
    """Deliveries that are due now. It carries ids only, so that erasure does not have to reach Kafka."""

    channel: Channel
    deliveries: tuple[DeliveryReference, ...]


class DeadLetter(Record):
    """A record that could not be processed, with the reason and the original bytes.

    `code` is one of docs/errors.md. `field` is the path of the field at fault, like `data.metadata.timestamp`.
    `value` and `key` are base64 of the original bytes; None where the record had none.
    """

    code: str
    reason: str
    field: str | None = None
    source: Source
    source_timestamp: AwareDatetime | None = None
    tenant: str | None = None
    id: UUID | None = None
    key: str | None = None
    value: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    failed_at: AwareDatetime
    service: str

    @property
    def key_on_topic(self) -> bytes:
        """The id of what failed, or the position of its record where it has none."""
        source = self.source
        return (str(self.id) if self.id else f"{source.topic}:{source.partition}:{source.offset}").encode()


LifecycleState = Literal[
    "planned",
    "suppressed",
    "sent",
    "delivered",
    "failed",
    "bounced",
    "opened",
    "expired",
    "cancelled",
    "unknown",
    "read",
    "answered",
]


class LifecycleRecord(Record):
    """What became of a notification, for customers; keyed by the notification's id so that order holds.

    `sequence` rises with each change of a delivery: a record whose sequence was seen before is a repeat. Without a
    delivery it is about the notification itself: `planned`, or `read` by a person in the inbox. Marking all as read is
    told of each notification that became read by it, the newest 1,000 at most; `GET /api/v1/notifications/{id}/readers`
    knows of all. What was only seen, archived or cleared is not told. `opened` is told once of a mail whose
    picture was fetched, by whomever, where the tenant has switched that on.
    """

    tenant: str
    sequence: int
    notification_id: UUID
    delivery_id: UUID | None = None
    channel: Channel | None = None
    user_id: str | None = None
    state: LifecycleState
    reason: str | None = None
    at: AwareDatetime
