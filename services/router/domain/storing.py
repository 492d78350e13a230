"""An event as the notification that is stored: its texts, and what else was said and found out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from libs.catalogue.texts import context, texts
from libs.catalogue.types import NotificationType
from libs.schemas.records import AcceptedEvent
from services.router.domain.audience import Audience
from services.router.domain.incoming import Received
from services.router.domain.notification import Notification
from services.router.domain.timing import collapse_key, urgency

IN_APP = "in-app"


def stored(
    received: Received,
    kind: NotificationType,
    audience: Audience,
    notes: tuple[str, ...],
    rooms: tuple[str, ...],
    deliveries: int,
    catalogue_version: str,
    expires_at: datetime | None,
) -> Notification:
    """The row. Raises TypeError (orjson.JSONEncodeError) for data that JSON in the database cannot hold.

    `rooms` are those that it is written to; `deliveries` is how many decisions are planned beside them.
    """
    event = received.event
    title, message = event.title, event.message
    if title is None or message is None:
        rendered = texts(kind, IN_APP, said(event, kind))
        title, message = title or rendered.title, message or rendered.message
    return Notification(
        tenant=event.tenant,
        id=event.id,
        event=event.event,
        type=event.type,
        name=event.name,
        title=title,
        message=message,
        severity=event.severity,
        priority=event.priority,
        metadata=_json(event.metadata),
        data=None if event.data is None else _json(event.data),
        extras=_extras(event, audience),
        audience=_described(audience, notes, in_app=bool(rooms)),
        rooms=rooms,
        catalogue_version=catalogue_version,
        decisions_planned=len(rooms) + deliveries,
        traceparent=received.traceparent,
        source=_json({"topic": event.source.topic, "partition": event.source.partition, "offset": event.source.offset}),
        accepted_at=event.accepted_at,
        expires_at=expires_at,
        collapse_key=collapse_key(event, kind, said(event, kind)) if kind.collapse_key else event.collapse_key,
        urgency=urgency(event.severity, event.priority),
        sensitive=kind.sensitive if event.data else (),
    )


def said(event: AcceptedEvent, kind: NotificationType) -> dict[str, Any]:
    """What the type's texts are filled from."""
    more = {"metadata": event.metadata, "actor": event.actor, "related": event.related}
    return context(event.data, event_name=event.name or kind.key, **more)


def _extras(event: AcceptedEvent, audience: Audience) -> dict[str, Any]:
    extras: dict[str, Any] = dict(event.model_extra or {})
    extras.pop("excluded", None)  # a producer's word of this name is not ours
    given = {
        "actor": event.actor,
        "related": event.related,
        "actionUrl": event.action_url,
        "tags": event.tags or None,
        "channels": event.channels,
        "excluded": audience.excluded or None,
    }
    extras |= {name: value for name, value in given.items() if value is not None}
    if event.recipients is not None:
        extras["recipients"] = event.recipients.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return extras


def _described(audience: Audience, notes: tuple[str, ...], *, in_app: bool) -> str:
    described: dict[str, Any] = {"rule": audience.rule}
    if not in_app:
        described["rooms"] = audience.rooms
    if audience.forwards:
        described["forwards"] = audience.forwards
    if notes:
        described["notes"] = notes
    return _json(described)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
