"""What the routes take and answer, for the API description; hot bodies are read without building these models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from libs.schemas.events import (
    MAX_BATCH_EVENTS,
    ActionUrl,
    Channel,
    EventName,
    Message,
    Priority,
    Recipients,
    Severity,
    Tag,
    Title,
    UpstreamEvent,
)


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class FieldError(_Body):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemBody(_Body):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] | None = None


class Outcome(_Body):
    """What became of it on each channel, for a caller who has waited: whether anybody was reached, and why not.

    `settled`: nothing more will happen by itself.
    """

    success: bool | None = None
    settled: bool | None = None
    channels: dict[str, bool] | None = None
    errors: dict[str, str] | None = None


class EventAccepted(Outcome):
    """The event is in Kafka on all in-sync replicas. `id` is the notification's."""

    id: UUID
    status: Literal["accepted"]


class ItemProblem(_Body):
    """Why one item of a list is refused."""

    code: str
    detail: str
    field: str | None = None


class ItemResult(Outcome):
    """What became of one item: 202 with its id, or the status that it would have been refused with by itself."""

    status: int
    id: UUID | None = None
    problem: ItemProblem | None = None


class BatchAccepted(_Body):
    """A result for each item, in their order."""

    accepted: int
    refused: int
    results: list[ItemResult]


class DirectMetadata(_Body):
    """As an event's metadata; the time of acceptance stands in for a timestamp that is left out."""

    model_config = ConfigDict(extra="allow")
    timestamp: datetime | None = None
    correlation_id: str | None = None
    org_id: str | None = None
    user_id: str | None = None
    agent_id: str | None = None
    tenant_id: str | None = None


class DirectNotification(_Body):
    """A notification sent directly. `type` is a catalogue key or alias; without it `event` says what it is.

    `recipients` that name anybody replace the audience rule of the type; `channels` replace those of the type.
    """

    type: str | None = None
    event: EventName = "system.notification"
    id: str | None = Field(None, description="your own id: sent again, it is the same notification")
    name: str | None = None
    title: Title | None = None
    message: Message | None = None
    severity: Severity = "normal"
    priority: Priority | None = None
    data: dict[str, Any] | None = None
    recipients: Recipients | None = None
    channels: list[Channel] | None = None
    actor: dict[str, Any] | None = None
    related: dict[str, Any] | None = None
    action_url: ActionUrl | None = None
    tags: list[Tag] = []
    metadata: DirectMetadata | None = None


EventBatch = Annotated[list[UpstreamEvent], Field(max_length=MAX_BATCH_EVENTS)]
DirectNotifications = DirectNotification | Annotated[list[DirectNotification], Field(max_length=MAX_BATCH_EVENTS)]


class RoomStatus(_Body):
    """Where the notification stands in one room."""

    room: str
    seq: int
    at: datetime


class DeliveryStatus(_Body):
    """One delivery on an external channel."""

    id: UUID
    user_id: str
    channel: str
    state: str
    reason: str
    attempts: int
    next_attempt_at: datetime | None
    updated_at: datetime


class DeliveryCount(_Body):
    """How many deliveries of a channel are in a state."""

    channel: str
    state: str
    count: int


class ExpansionStatus(_Body):
    """A group whose people are being decided one page after the other."""

    room: str
    channels: list[str]
    planned: int
    done: bool


class NotificationStatus(_Body):
    """How far a notification has come: `accepted` (in Kafka) or `planned` (written down, and handed on)."""

    id: UUID
    tenant: str
    status: Literal["accepted", "planned"]
    event: str | None = None
    type: str | None = None
    name: str | None = None
    severity: str | None = None
    accepted_at: datetime | None = None
    planned_at: datetime | None = None
    decisions: int | None = Field(None, description="room entries and deliveries decided with the notification itself")
    rooms: list[RoomStatus] = []
    expansions: list[ExpansionStatus] = []
    delivery_counts: list[DeliveryCount] = []
    deliveries: list[DeliveryStatus] = Field([], description="the first hundred")
