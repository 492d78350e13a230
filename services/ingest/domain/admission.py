"""Admission: one event becomes an accepted record for its typed topic, or is refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import ValidationError

from libs.catalogue.catalogue import Catalogue
from libs.catalogue.types import NotificationType
from libs.runtime.clock import iso
from libs.schemas.events import MAX_EVENT_BYTES, PLATFORM, THREE_PART_NAME, UPSTREAM_EVENT, UpstreamEvent
from services.ingest.domain import documents, refusals
from services.ingest.domain.canonical import canonical_data, unknown_of_envelope
from services.ingest.domain.origins import Origin
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule

_SCHEMA_VERSION = 1
#: What the accepted record adds around an event: ids, type, source, time of acceptance.
_ENVELOPE_BYTES = 2 * 1024
_SEVERITY_OF_PRIORITY = {
    "LOW": "low",
    "NORMAL": "normal",
    "MEDIUM": "normal",
    "HIGH": "high",
    "URGENT": "critical",
    "CRITICAL": "critical",
}


class Accepted(NamedTuple):
    """A record for the typed topic `event`. `value` is a libs.schemas.records.AcceptedEvent in JSON."""

    id: UUID
    tenant: str
    event: str
    type: str
    key: bytes | None
    value: bytes
    traceparent: str


class Rules(NamedTuple):
    """What admission decides by: each tenant's catalogue; `accepted_at` is the time of the batch, as on the wire."""

    catalogue_of: Callable[[str], Catalogue]
    tenants: TenantRule
    accepted_at: str


def admit_bytes(raw: bytes | None, origin: Origin, rules: Rules) -> Accepted | Refused:
    """Admits the value of a Kafka record."""
    if raw is None:
        return Refused(refusals.NO_VALUE, "the record has no value")
    if len(raw) > MAX_EVENT_BYTES:
        return Refused(refusals.TOO_LARGE, f"{len(raw)} bytes: an event may have {MAX_EVENT_BYTES}")
    parsed = documents.parse(raw)
    if isinstance(parsed, Refused):
        return parsed
    if parsed.suspicious and (fault := documents.fault(parsed.value)) is not None:
        return fault
    return admit(parsed.value, origin, rules)


def admit(document: Any, origin: Origin, rules: Rules, *, key: str | None = None) -> Accepted | Refused:
    """Admits an event that is already parsed and free of what documents.fault looks for.

    `key` is the catalogue key of its type where the producer named one; else it follows from event and name.
    """
    try:
        event = UPSTREAM_EVENT.validate_python(document)
    except ValidationError as error:
        return refusals.from_validation(error)
    tenant = event.data.metadata.tenant_id or rules.tenants.default
    if (refused := rules.tenants.refuses(tenant)) is not None:
        return refused
    named = event.data.recipients
    if named is not None and named.broadcast == PLATFORM and not rules.tenants.is_platform:
        reason = "only who may name every tenant sends to all of them"
        return Refused(refusals.PLATFORM_NOT_ALLOWED, reason, "data.recipients.broadcast", tenant)
    name, catalogue = event.data.name, rules.catalogue_of(tenant)
    if event.event == "service.event" and not _is_registered(name, catalogue):
        reason = "a name has three parts ({service}.{entity}.{action}) unless the catalogue registers it"
        return Refused(refusals.UNREGISTERED_NAME, reason, "data.name")
    kind = (catalogue.get(key) if key else None) or catalogue.find(event.event, name)
    return _accept(document, event, tenant, kind, origin, rules)


def _is_registered(name: str | None, catalogue: Catalogue) -> bool:
    return name is not None and (THREE_PART_NAME.fullmatch(name) is not None or catalogue.registers(name))


def _accept(
    document: dict[str, Any], event: UpstreamEvent, tenant: str, kind: NotificationType, origin: Origin, rules: Rules
) -> Accepted | Refused:
    data = event.data
    notification = origin.id_for(tenant, data.id)
    # From the original, not from the model: what this version does not know goes on untouched.
    record = unknown_of_envelope(document) | canonical_data(document["data"])
    record["metadata"] = _with_iso_timestamp(record["metadata"], event)
    record["severity"] = _severity(record, kind, data.severity)
    if kind.priority is not None and record.get("priority") is None:
        record["priority"] = kind.priority
    record["schemaVersion"] = _SCHEMA_VERSION
    record["id"] = str(notification)
    record["tenant"] = tenant
    record["event"] = event.event
    record["type"] = kind.key
    record["acceptedAt"] = rules.accepted_at
    record["source"] = origin.source()
    value = orjson.dumps(record)
    if len(value) > MAX_EVENT_BYTES + _ENVELOPE_BYTES:
        return Refused(refusals.TOO_LARGE, f"an event may have {MAX_EVENT_BYTES} bytes")
    traceparent = origin.traceparent or _traceparent(notification)
    return Accepted(notification, tenant, event.event, kind.key, _ordering_key(event, origin), value, traceparent)


def _severity(record: dict[str, Any], kind: NotificationType, default: str) -> str:
    """As given, else as the given priority asks (S16), else the type's by the same rule, else normal."""
    for severity, priority in ((record.get("severity"), record.get("priority")), (kind.severity, kind.priority)):
        found: str | None = severity or _SEVERITY_OF_PRIORITY.get(priority or "")
        if found is not None:
            return found
    return default


def _with_iso_timestamp(metadata: dict[str, Any], event: UpstreamEvent) -> dict[str, Any]:
    """A timestamp given as a number of seconds is written as text, so that every reader finds one form."""
    given = metadata["timestamp"]
    if isinstance(given, str) and given[10:11] in ("T", "t", " "):
        return metadata
    return metadata | {"timestamp": iso(event.data.metadata.timestamp)}


def _ordering_key(event: UpstreamEvent, origin: Origin) -> bytes | None:
    """Agents in the order of the agent; else as the producer keyed it; else by person; else spread."""
    metadata = event.data.metadata
    if event.event == "agent.event":
        return str(metadata.agent_id).encode()
    if origin.key is not None:
        return origin.key
    return metadata.user_id.encode() if metadata.user_id is not None else None


def _traceparent(notification: UUID) -> str:
    """A trace for an event without one: the same each time that the event is read again."""
    digits = notification.hex
    return f"00-{digits}-{digits[16:]}-01"
