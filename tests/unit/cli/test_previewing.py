"""Previews on values: what is stored is planned anew as it was, and only what the catalogues differ in differs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from cli.domain.preview_report import Report
from cli.domain.previewing import Both, Difference, both, differences, expands, of_members
from libs.catalogue.catalogue import Catalogue, shipped
from libs.catalogue.tenants import read_over
from libs.rules.person import Person
from libs.schemas.records import AcceptedEvent
from services.router.domain.audience import AudienceRules, resolve
from services.router.domain.planning import Circumstances, Plan, plan
from tests.unit.router.events import NOW, accepted, received

pytestmark = pytest.mark.covers("B7")

RULES = AudienceRules(frozenset({"admin"}), "system-org", "system-admin")
ANA = Person({"email": "ana@example.org"})
PEOPLE = {("acme", "ana"): ANA}
CHANNELS = frozenset({"email", "sms"})
NAMED = {"user_ids": ["ana"]}

EVENTS = [
    accepted(name="iam.user.created", recipients=NAMED, channels=("in-app", "email")),
    accepted(
        name="iam.user.created", recipients=NAMED, title="Own", message="words", expires_at=NOW + timedelta(days=1)
    ),
    accepted(
        "system.notification", title="t", message="m", metadata={"orgId": "7"}, tags=("a",), action_url="https://x"
    ),
    accepted("service.alert", metadata={"orgId": "7"}, severity="critical", recipients={"exclude_user_ids": ["bo"]}),
    accepted("agent.event", name="error", metadata={"userId": "ana", "agentId": "8"}, collapse_key="k"),
]


def planned(event: AcceptedEvent) -> Plan:
    kind = shipped().get(event.type)
    assert kind is not None
    circumstances = Circumstances(CHANNELS, "1", NOW, timedelta(seconds=30))
    return plan(received(event), kind, resolve(event, kind, RULES), PEOPLE, circumstances)


def row(event: AcceptedEvent) -> dict[str, Any]:
    """As it is stored."""
    stored = asdict(planned(event).notification) | {"planned_at": NOW}
    texts = {name: orjson.loads(stored[name]) for name in ("metadata", "data", "audience") if stored[name]}
    return stored | texts


def laid_over(document: str) -> Catalogue:
    return read_over(shipped(), document)


def found(event: AcceptedEvent, new: Catalogue) -> list[Difference]:
    one = both(row(event), shipped(), new)
    assert one is not None
    return list(differences(*one.plans(one.audiences(RULES, ()), PEOPLE, CHANNELS, ())))


def again(one: Both) -> Plan:
    return one.plans(one.audiences(RULES, ()), PEOPLE, CHANNELS, ())[0]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_what_is_stored_is_planned_anew_as_it_was(event: AcceptedEvent) -> None:
    one = both(row(event), shipped(), shipped())
    assert one is not None
    assert one.unchanged
    first, second = planned(event), again(one)
    assert second.deliveries == first.deliveries
    assert second.expansions == first.expansions
    same = ("title", "message", "rooms", "expires_at", "collapse_key", "severity", "urgency")
    assert [getattr(second.notification, n) for n in same] == [getattr(first.notification, n) for n in same]
    assert found(event, shipped()) == []


def test_another_channel_other_texts_and_another_audience_are_told() -> None:
    event = accepted(name="iam.user.created", recipients=NAMED)
    channels = laid_over("types: [{key: iam.user.created, channels: [in-app, sms]}]")
    assert found(event, channels) == [
        Difference("email", "ana", "planned, type-default", "nothing"),
        Difference("sms", "ana", "nothing", "suppressed, no-address"),
    ]
    worded = laid_over("types: [{key: iam.user.created, templates: {default: {default: {title: Hello}}}}]")
    assert [(d.channel, d.after) for d in found(event, worded)] == [("in-app", "other texts")]
    ruled = accepted(name="iam.user.created", metadata={"orgId": "7", "userId": "ana"})
    without = laid_over("types: [{key: iam.user.created, audience: {byEvent: false, roles: [boss]}}]")
    told = {(d.channel, d.to): d.after for d in found(ruled, without)}
    assert (told["in-app", "role:boss"], told["in-app", "org:7"]) == ("shown", "nothing")


def test_texts_that_the_event_gave_itself_do_not_differ() -> None:
    event = accepted(name="iam.user.created", recipients=NAMED, title="Own", message="words")
    assert (
        found(event, laid_over("types: [{key: iam.user.created, templates: {default: {default: {title: X}}}}]")) == []
    )


def test_a_new_type_takes_the_events_of_its_name() -> None:
    event = accepted(name="shop.order.paid", recipients=NAMED)
    document = """types: [{key: shop.order.paid, name: Paid, category: shop, channels: [in-app, email],
                          match: {event: service.event, name: shop.order.paid}}]"""
    (email,) = [d for d in found(event, laid_over(document)) if d.channel == "email"]
    assert (email.before, email.after) == ("nothing", "planned, type-default")


def test_members_are_compared_where_the_group_was_or_would_be_meant() -> None:
    event = accepted(name="iam.user.created", metadata={"orgId": "7"}, recipients={"org_ids": ["7"]})
    one = both(row(event), shipped(), laid_over("types: [{key: iam.user.created, channels: [in-app, sms]}]"))
    assert one is not None
    assert expands(one)
    audiences = one.audiences(RULES, ())
    told = list(of_members(one, "org:7", audiences, {"ana": ANA, "bo": None}, CHANNELS))
    assert told == [
        Difference("email", "ana", "planned, type-default", "nothing"),
        Difference("email", "bo", "suppressed, unknown-person", "nothing"),
        Difference("sms", "ana", "nothing", "suppressed, no-address"),
        Difference("sms", "bo", "nothing", "suppressed, unknown-person"),
    ]
    assert list(of_members(one, "org:8", audiences, {"ana": ANA}, CHANNELS)) == []


def test_a_type_that_is_gone_and_another_nearness_cannot_be_told() -> None:
    stored = row(accepted(name="iam.user.created"))
    assert both(stored | {"type": "gone"}, shipped(), shipped()) is None
    near = laid_over("types: [{key: iam.user.created, audience: {near: {role: driver}}}]")
    one = both(stored, shipped(), near)
    assert one is not None
    assert one.nearness_differs


def test_the_report_keeps_a_few_examples_and_counts_all() -> None:
    report = Report(2)
    for n in range(5):
        assert report.add("t", uuid4(), [Difference("email", f"u{n}", "nothing", "planned")])
    assert not report.add("t", uuid4(), [])
    kind = ("t", "email", "nothing", "planned")
    assert report.counts == {kind: 5}
    assert [text.split()[-1] for text in report.examples_of(kind)] == ["u0", "u1"]
    (told,) = report.body()["differences"]
    assert (told["count"], len(told["examples"])) == (5, 2)
