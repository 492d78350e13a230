"""A notification as the gateway holds it: what sockets are shown of the router's record.

Not the contract's model: each of them is read once, kept while it may be asked for again, and shown as it came. A
structure without checks of its own is read in a quarter of the time, and the garbage collector does not look at it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from libs.schemas.events import EventName, Priority, Severity


class Place(Struct, frozen=True, gc=False):
    """Where a record stands in one log; see libs.schemas.records.RoomEntry."""

    room: str
    epoch: int
    seq: int


class Notification(Struct, frozen=True, kw_only=True, gc=False, rename="camel", tag_field="kind", tag="notification"):
    """The fields of libs.schemas.records.NotificationEmission that a gateway needs; others are passed over."""

    kind: ClassVar[str] = "notification"
    id: str  # of a UUID, as it stands on the wire
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
    created_at: Annotated[datetime, Meta(tz=True)]
    rooms: tuple[Place, ...]
    silent: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    traceparent: str | None = None
