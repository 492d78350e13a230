"""002, multi-channel and multi-tenant: business events, preferences by type and channel, digests and do-not-disturb."""

from __future__ import annotations

from typing import Any

import pytest

from services.ingest.domain.refusals import Refused
from tests.unit.documents.telling import World, decided, event, person, told
from tests.unit.ingest.admitting import admit

pytestmark = pytest.mark.covers("F2-2", "F2-6", "F2-8", "S3", "S4", "S11", "S13", "S16", "B4")

CONTACT = event("CONTACT_CREATED", {"name": "Ada Lovelace", "ownerId": "owner"})
LEAD = event("LEAD_ASSIGNED", {"name": "Babbage & Co", "assigneeId": "seller"})
BERLIN = "Europe/Berlin"


def quiet(start: str, end: str) -> dict[str, Any]:
    """Quiet hours of every day in Berlin."""
    return {"timeZone": BERLIN, "windows": [{"start": start, "end": end}]}


def sent(preferences: dict[str, Any], document: Any = LEAD, user: str = "seller", **more: Any) -> tuple[Any, Any]:
    """The decisions on email and push for somebody with these preferences."""
    found = decided(told(document, World(people={user: person(preferences, zone=BERLIN, **more)})))
    return found[user, "email"], found[user, "push"]


def test_a_contact_is_told_to_its_owner() -> None:
    outcome = told(CONTACT, World(people={"owner": person()}))
    assert (outcome.notification.type, outcome.notification.rooms) == ("contact.created", ("user:owner",))
    assert outcome.notification.message == "Ada Lovelace is a new contact of yours"
    assert decided(outcome) == {
        ("owner", "email"): ("deferred", "when-offline"),
        ("owner", "push"): ("planned", "type-default"),
    }


def test_a_lead_is_told_to_its_assignee_with_high_priority() -> None:
    outcome = told(LEAD, World(people={"seller": person()}))
    stored = outcome.notification
    assert (stored.type, stored.rooms, stored.priority, stored.severity) == (
        "lead.assigned",
        ("user:seller",),
        "HIGH",
        "high",
    )
    assert set(decided(outcome).values()) == {("planned", "type-default")}


def test_both_names_of_a_type_are_one_type_and_unregistered_names_are_refused() -> None:
    assert told(event("lead.assigned", {"assigneeId": "s"})).notification.type == told(LEAD).notification.type
    assert isinstance(admit(event("LEAD_DELETED", {})), Refused)


@pytest.mark.parametrize(
    ("preferences", "email", "push"),
    [
        ({}, "type-default", "type-default"),
        ({"channels": {"email": False}}, "channel-off", "type-default"),
        ({"types": {"lead.assigned": {"push": False}}}, "type-default", "type-off"),
        ({"categories": {"crm": {"email": False, "push": False}}}, "category-off", "category-off"),
        (
            {"channels": {"email": False}, "types": {"lead.assigned": {"email": True}}},
            "type-default",
            "type-default",
        ),
        ({"mutedTypes": ["lead.assigned"]}, "type-muted", "type-muted"),
        ({"channels": {"email": {"frequency": "daily"}}}, "digest-daily", "type-default"),
        ({"snoozedUntil": "2026-11-22T10:00:00Z"}, "snoozed", "snoozed"),
        ({"quietHours": quiet("09:00", "12:00")}, "quiet-hours", "quiet-hours"),
        ({"quietHours": quiet("22:00", "07:00")}, "type-default", "type-default"),
        ({"unsubscribed": {"email": ["crm"]}}, "unsubscribed", "type-default"),
    ],
)
def test_what_a_person_wants_decides_by_type_and_channel(preferences: dict[str, Any], email: str, push: str) -> None:
    found = sent(preferences)
    assert (found[0][1], found[1][1]) == (email, push)


def test_a_tenants_defaults_hold_for_who_says_nothing() -> None:
    defaults = {"channels": {"email": False}}
    assert sent({}, defaults=defaults)[0] == ("suppressed", "default-off")
    assert sent({"channels": {"email": True}}, defaults=defaults)[0] == ("planned", "type-default")


def test_quiet_hours_hold_back_what_disturbs_and_leave_the_inbox_as_it_is() -> None:
    morning = {"quietHours": quiet("09:00", "12:00")}
    outcome = told(LEAD, World(people={"seller": person(morning, zone=BERLIN)}))
    assert outcome.notification.rooms == ("user:seller",)
    assert {state for state, _ in decided(outcome).values()} == {"deferred"}
    critical = {**LEAD, "data": LEAD["data"] | {"severity": "critical"}}
    assert sent(morning, critical) == (("planned", "type-default"),) * 2


def test_a_tenant_is_named_by_its_producer_and_everything_stays_in_it() -> None:
    document = event("LEAD_ASSIGNED", {"assigneeId": "seller"}, metadata={"tenantId": "acme"})
    assert told(document).notification.tenant == "acme"
    assert isinstance(admit(event("LEAD_ASSIGNED", {}, metadata={"tenantId": "nobody"})), Refused)
