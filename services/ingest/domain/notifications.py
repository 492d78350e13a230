"""Direct sends: what `POST /api/v1/notifications` takes, turned into one of the four events."""

from __future__ import annotations

from typing import Any, NamedTuple

from libs.catalogue.types import NotificationType
from services.ingest.domain import refusals
from services.ingest.domain.admission import Rules
from services.ingest.domain.refusals import Refused

#: A direct send is an announcement unless its type says otherwise (S5).
_DEFAULT_EVENT = "system.notification"


class DirectEvent(NamedTuple):
    """The event of a direct send, and the catalogue key that it named (None: by event and name)."""

    document: dict[str, Any]
    key: str | None


def as_event(request: Any, rules: Rules) -> DirectEvent | Refused:
    """The event that a direct send stands for. The time of acceptance stands in for a timestamp that it leaves out.

    All further checks are those of events, so only what differs is looked at here: `type` and `metadata`.
    """
    if not isinstance(request, dict):
        return Refused(refusals.NOT_AN_OBJECT, "a JSON object was expected")
    metadata = request.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        return Refused(refusals.INVALID_FIELD, "a JSON object was expected", "metadata")
    kind = _type_of(request.get("type"), metadata or {}, rules)
    if isinstance(kind, Refused):
        return kind
    data = {name: value for name, value in request.items() if name not in ("type", "event")}
    data["metadata"] = {"timestamp": rules.accepted_at} | (metadata or {})
    if kind is None:
        return DirectEvent({"event": request.get("event") or _DEFAULT_EVENT, "data": data}, None)
    if data.get("name") is None and (name := _name_of(kind)) is not None:
        data["name"] = name
    return DirectEvent({"event": kind.match.event, "data": data}, kind.key)


def place(refused: Refused) -> Refused:
    """The refusal with its field as the caller of a direct send wrote it: without the event around it."""
    return refused._replace(field=refused.field.removeprefix("data.") if refused.field else None)


def _type_of(named: Any, metadata: dict[str, Any], rules: Rules) -> NotificationType | Refused | None:
    if named is None:
        return None
    tenant = metadata.get("tenantId") or rules.tenants.default
    if not isinstance(tenant, str):
        return Refused(refusals.INVALID_FIELD, "a string was expected", "metadata.tenantId")
    if (refused := rules.tenants.refuses(tenant)) is not None:
        return place(refused)
    kind = rules.catalogue_of(tenant).get(named) if isinstance(named, str) else None
    return kind or Refused(refusals.UNKNOWN_TYPE, "the catalogue has no type of this key or alias", "type")


def _name_of(kind: NotificationType) -> str | None:
    """The name of an event of the type; a type of many names is told by its key."""
    name = kind.match.name
    if name is not None and "*" not in name:
        return name
    return kind.key if kind.match.event == "service.event" else None
