"""The way of a document's event through the domains: admission, type, audience, decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from libs.catalogue.catalogue import shipped
from libs.rules.person import Person
from libs.schemas.preferences import Preferences, TenantPreferences
from services.router.domain.audience import AudienceRules, asked, resolve
from services.router.domain.incoming import Received, Record, decode
from services.router.domain.planning import Circumstances, Plan, plan
from services.router.domain.targeting import Found
from tests.unit.ingest.admitting import accepted

#: A Saturday, eleven o'clock in Berlin.
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
RULES = AudienceRules(frozenset({"admin", "owner"}), "system-org", "system-admin", {"billing": "billing.inbox"})
DELIVERABLE = frozenset({"email", "push", "sms"})

Decided = Mapping[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class World:
    """Who is known, and what they want; who administers the organisation; who is near."""

    people: Mapping[str, Person] = field(default_factory=dict)
    admins: Sequence[str] = ()
    nearby: Sequence[str] = ()
    now: datetime = NOW


def person(preferences: Mapping[str, Any] | None = None, *, zone: str | None = None, **tenant: Any) -> Person:
    """Somebody with an address for every channel."""
    addresses = {"email": "p@example.test", "push": "devices", "sms": "+4930123456"}
    wanted = Preferences.model_validate(preferences or {})
    return Person(addresses, wanted, tenant=TenantPreferences.model_validate(tenant), time_zone=zone)


def told(document: Mapping[str, Any], world: World | None = None) -> Plan:
    """What an event on `noti` leads to. Fails where it is not accepted."""
    world = world or World()
    verdict = accepted(document)
    received = decode(Record(verdict.event, 0, 0, verdict.key, verdict.value, (), NOW.timestamp()))
    assert isinstance(received, Received)
    event, catalogue = received.event, shipped()
    kind = catalogue.get(event.type)
    assert kind is not None
    question = asked(event, kind, RULES)
    found = Found(world.admins if question.org else (), world.nearby if question.near else ())
    people = {(event.tenant, name): someone for name, someone in world.people.items()}
    circumstances = Circumstances(DELIVERABLE, catalogue.version, world.now, timedelta(seconds=30))
    return plan(received, kind, resolve(event, kind, RULES, found), people, circumstances)


def decided(outcome: Plan) -> Decided:
    """State and reason by person and channel."""
    return {(d.user_id, d.channel): (d.decision.state, d.decision.reason.value) for d in outcome.deliveries}


def notes(outcome: Plan) -> list[str]:
    """What a rule could not resolve."""
    found: list[str] = orjson.loads(outcome.notification.audience).get("notes", [])
    return found


def event(name: str | None, data: Mapping[str, Any] | None = None, of: str = "service.event", **more: Any) -> Any:
    """An event as a document's producer writes it."""
    metadata = {"timestamp": "2025-10-17T10:00:00Z"} | more.pop("metadata", {})
    said = {"name": name, "metadata": metadata, "data": data} | more
    return {"event": of, "data": {key: value for key, value in said.items() if value is not None}}
