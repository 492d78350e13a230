"""Offers to people, as tests of the rules make them up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from libs.catalogue.catalogue import shipped
from libs.catalogue.types import NotificationType
from libs.rules.decisions import Throttle
from libs.rules.person import Person
from libs.rules.preferences import Offer
from libs.schemas.preferences import Preferences, TenantPreferences

NOW = datetime(2026, 11, 21, 23, tzinfo=UTC)  # a Saturday, midnight in Berlin
MORNING = datetime(2026, 11, 22, 6, tzinfo=UTC)
ALERT = shipped().find("service.alert", None)
NIGHT = {"timeZone": "Europe/Berlin", "windows": [{"start": "22:00", "end": "07:00"}]}
ONCE = Throttle(1, 60)


def person(**document: Any) -> Person:
    return Person({"email": "a@b", "push": "devices"}, Preferences.model_validate(document))


def kind(**changes: Any) -> NotificationType:
    return ALERT.model_copy(update=changes)


def offer(**changes: Any) -> Offer:
    fields: dict[str, Any] = {"kind": ALERT, "channel": "email", "now": NOW} | changes
    return Offer(**fields)


def mandatory(who: Person) -> Person:
    tenant = TenantPreferences(mandatory={ALERT.key: ("email",)})
    return Person(who.addresses, who.preferences, who.suppressed, tenant, who.time_zone)


def defaults(**document: Any) -> Person:
    return Person({"email": "a@b"}, tenant=TenantPreferences(defaults=Preferences.model_validate(document)))
