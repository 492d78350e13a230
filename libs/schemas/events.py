"""The four events that upstream services publish on `noti`: `{event, data}` (F0-1, F0-2)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, TypeAdapter

from libs.schemas.base import WireModel

EventName = Literal["system.notification", "service.event", "service.alert", "agent.event"]
EVENT_NAMES: tuple[EventName, ...] = ("system.notification", "service.event", "service.alert", "agent.event")

Severity = Literal["low", "normal", "high", "critical"]
Priority = Literal["LOW", "NORMAL", "MEDIUM", "HIGH", "URGENT", "CRITICAL"]
Channel = Literal["in-app", "email", "push", "sms", "webhook", "slack", "discord", "teams"]
#: On these a notification goes to endpoints of the tenant, and not to people.
ENDPOINT_CHANNELS: frozenset[str] = frozenset({"webhook", "slack", "discord", "teams"})
AgentAction = Literal[
    "connected",
    "disconnected",
    "thinking",
    "tool_use",
    "tool_result",
    "request_help",
    "completed",
    "error",
    "message",
]

# Bounds that keep one event cheap for everybody behind ingest; an event over them is refused with the field's name.
MAX_EVENT_BYTES = 64 * 1024
MAX_BATCH_BYTES = 1024 * 1024
MAX_BATCH_EVENTS = 1_000
MAX_RECIPIENTS = 1_000
MAX_ID_LENGTH = 200
MAX_CHANNELS = 8
MAX_TAGS = 50

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH, pattern=r"^[^\s\x00-\x1f]+$")]
Ids = Annotated[tuple[Id, ...], Field(max_length=MAX_RECIPIENTS)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Message = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]

Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
#: Where a notification leads: an address of the web, or a path of the application.
ActionUrl = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^(https?://|/)[^\s\x00-\x1f]*$")]

#: As `recipients.broadcast`: everybody in every tenant.
PLATFORM = "platform"

#: `{service}.{entity}.{action}`; more parts are allowed, fewer only for a name that the catalogue registers (S4).
THREE_PART_NAME = re.compile(r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2,}$")
ServiceEventName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.:-]+$")]


class Recipients(WireModel):
    """Explicit recipients; any non-empty list of them replaces the audience rule of the type (F0-1).

    `topics` reach who subscribed to them. `excludeUserIds` takes people out again, whoever named them.
    `service` and `queue` forward the event to an allow-listed topic of that name. `broadcast` is everybody in the
    tenant; `"platform"` everybody in every tenant, for producers who may name them all (S14).
    """

    user_ids: Ids = ()
    agent_ids: Ids = ()
    org_ids: Ids = ()
    departments: Ids = ()
    roles: Ids = ()
    topics: Ids = ()
    exclude_user_ids: Ids = ()
    tenant: bool = False
    broadcast: bool | Literal["platform"] = False
    service: Id | None = None
    queue: Id | None = None


class Metadata(WireModel):
    """Who, where and when. `timestamp` needs a zone: without one the instant is unknown, so it is refused."""

    timestamp: AwareDatetime
    correlation_id: Annotated[str, StringConstraints(max_length=MAX_ID_LENGTH)] | None = None
    org_id: Id | None = None
    user_id: Id | None = None
    agent_id: Id | None = None
    tenant_id: Id | None = None


class AgentMetadata(Metadata):
    """Metadata of an agent's event: org, user and agent are required (F0-2)."""

    org_id: Id
    user_id: Id
    agent_id: Id


class _EventData(WireModel):
    """What all four events may say. `id` is the producer's own id; it makes a repeated publish the same notification.

    Whatever `libs.schemas.records.AcceptedEvent` names is checked here, so that an accepted event always fits it.
    `severity` follows `priority` where only that is given, and is normal without both. `deliverAt` with a zone is an
    instant, without one the time on each recipient's own clock. After `expiresAt` nothing more is sent. A newer event
    of a `collapseKey` replaces the older one in push and inbox.
    """

    id: Id | None = None
    name: ServiceEventName | None = None
    title: Title | None = None
    message: Message | None = None
    severity: Severity = "normal"
    priority: Priority | None = None
    metadata: Metadata
    data: dict[str, Any] | None = None
    recipients: Recipients | None = None
    channels: Annotated[tuple[Channel, ...], Field(max_length=MAX_CHANNELS)] | None = None
    actor: dict[str, Any] | None = None
    related: dict[str, Any] | None = None
    action_url: ActionUrl | None = None
    tags: Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS)] = ()
    deliver_at: datetime | None = None
    expires_at: AwareDatetime | None = None
    collapse_key: Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH)] | None = None


class SystemNotificationData(_EventData):
    """An announcement, with its text."""

    title: Title
    message: Message


class ServiceEventData(_EventData):
    """Something happened to a resource; the text is rendered from the name (S7)."""

    name: ServiceEventName


class ServiceAlertData(_EventData):
    """Something is wrong, with its text."""

    title: Title
    message: Message


class AgentEventData(_EventData):
    """What an agent does, needs or has done."""

    name: AgentAction
    title: Title
    message: Message
    metadata: AgentMetadata


class _Envelope(WireModel):
    model_config = ConfigDict(extra="allow")


class SystemNotification(_Envelope):
    """`{"event": "system.notification", "data": …}`"""

    event: Literal["system.notification"]
    data: SystemNotificationData


class ServiceEvent(_Envelope):
    """`{"event": "service.event", "data": …}`"""

    event: Literal["service.event"]
    data: ServiceEventData


class ServiceAlert(_Envelope):
    """`{"event": "service.alert", "data": …}`"""

    event: Literal["service.alert"]
    data: ServiceAlertData


class AgentEvent(_Envelope):
    """`{"event": "agent.event", "data": …}`"""

    event: Literal["agent.event"]
    data: AgentEventData


UpstreamEvent = Annotated[SystemNotification | ServiceEvent | ServiceAlert | AgentEvent, Field(discriminator="event")]
#: Validates one upstream event; raises pydantic.ValidationError whose first error names the field.
UPSTREAM_EVENT: TypeAdapter[UpstreamEvent] = TypeAdapter(UpstreamEvent)
