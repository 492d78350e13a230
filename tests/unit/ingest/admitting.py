"""Admission with the shipped catalogue, for tests."""

from __future__ import annotations

from typing import Any

import orjson

from libs.catalogue.catalogue import shipped
from services.ingest.domain.admission import Accepted, Rules, admit_bytes
from services.ingest.domain.origins import Origin, RecordOrigin
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule

NOW = "2026-11-21T07:00:00.000Z"
TENANTS = TenantRule("default", frozenset({"*"}), frozenset({"default", "acme"}))
RULES = Rules(lambda _: shipped(), TENANTS, NOW)
ORIGIN = RecordOrigin("noti", 3, 41, 1_760_000_000_000)


def admit(event: Any, origin: Origin = ORIGIN, rules: Rules = RULES) -> Accepted | Refused:
    """Admits an event, or the bytes of one."""
    return admit_bytes(event if isinstance(event, bytes | None) else orjson.dumps(event), origin, rules)


def accepted(event: Any, origin: Origin = ORIGIN, rules: Rules = RULES) -> Accepted:
    """The event must be accepted."""
    verdict = admit(event, origin, rules)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def refused(event: Any, origin: Origin = ORIGIN, rules: Rules = RULES) -> Refused:
    """The event must be refused."""
    verdict = admit(event, origin, rules)
    assert isinstance(verdict, Refused), verdict
    return verdict


def record(event: Any, origin: Origin = ORIGIN, rules: Rules = RULES) -> dict[str, Any]:
    """The accepted record, as JSON members."""
    members: dict[str, Any] = orjson.loads(accepted(event, origin, rules).value)
    return members
