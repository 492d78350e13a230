"""Ephemeral events of services (F3-6): checked, and made records for whoever listens now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from libs.catalogue.catalogue import Catalogue
from libs.schemas.ephemerals import MAX_PAYLOAD_BYTES, MAX_ROOMS, EphemeralEvent, is_reserved
from libs.schemas.records import Ephemeral
from services.ingest.domain import refusals
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule

_TENANT = "tenantId"


class Rules(NamedTuple):
    """What an event is judged by. `tenant` is whose it is where it names none."""

    tenants: TenantRule
    catalogue: Callable[[str], Catalogue]


def judge(document: Any, rules: Rules, traceparent: str | None) -> Ephemeral | Refused:
    """The record for the gateways, or why not."""
    try:
        event = EphemeralEvent.model_validate(document)
    except ValidationError as error:
        return _invalid(error)
    tenant = event.tenant_id or rules.tenants.default
    if (refused := rules.tenants.refuses(tenant)) is not None:
        return refused._replace(field=_TENANT)
    if is_reserved(event.event) or rules.catalogue(tenant).registers(event.event):
        return Refused(refusals.RESERVED_EVENT, "the platform itself uses this name", "event")
    rooms = event.recipients.rooms()
    if not 0 < len(rooms) <= MAX_ROOMS:
        return Refused(refusals.TOO_MANY_RECIPIENTS, f"1 to {MAX_ROOMS} are to be named in all", "recipients")
    if len(orjson.dumps(event.payload)) > MAX_PAYLOAD_BYTES:
        return Refused(refusals.TOO_LARGE, f"a payload may have {MAX_PAYLOAD_BYTES} bytes", "payload")
    return Ephemeral(tenant=tenant, rooms=rooms, event=event.event, payload=event.payload, traceparent=traceparent)


def _invalid(error: ValidationError) -> Refused:
    finding = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in finding["loc"])
    if not place:
        return Refused(refusals.NOT_AN_OBJECT, "a JSON object was expected")
    return Refused(
        refusals.MISSING_FIELD if finding["type"] == "missing" else refusals.INVALID_FIELD, finding["msg"], place
    )
