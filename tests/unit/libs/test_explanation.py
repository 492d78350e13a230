"""Why and why not, on values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.explaining.explanation import explain
from libs.explaining.facts import Entry, Expanding, Facts, Interval
from libs.rules.person import Person
from libs.schemas.preferences import Preferences

pytestmark = pytest.mark.covers("B7")

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def facts(**more: Any) -> Facts:
    given: dict[str, Any] = {
        "reader": "ana",
        "planned_at": NOON,
        "entries": (Entry("org:acme", 5),),
        "addressed": ("org:acme",),
        "named": (),
        "kind": shipped().get("iam.user.created"),
        "intervals": (),
        "expansions": (),
        "person": Person({"email": "ana@example.org"}),
        "deliverable": {"email"},
    }
    return Facts(**given | more)


def stay(joined: int, left: int | None = None, hours: int = -1) -> Interval:
    joined_at = NOON + timedelta(hours=hours)
    left_at = None if left is None else joined_at + timedelta(minutes=90)
    return Interval("org:acme", joined_at, joined, left_at, left, "member", "directory")


def reasons(found: Facts) -> dict[str, str]:
    return {answer.where: str(answer.reason) for answer in explain(found, [])}


def test_without_an_in_app_entry_there_is_nothing_to_see() -> None:
    assert reasons(facts(entries=()))["in-app"] == "not-in-app"


def test_an_agent_reads_its_own_room() -> None:
    found = facts(reader="agent:7", entries=(Entry("agent:7", 1),), addressed=("agent:7",))
    assert reasons(found)["agent:7"] == "shown"


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=4), st.integers(1, 10))
def test_a_group_entry_is_shown_exactly_to_those_whose_stay_covers_it(spans: list[tuple[int, int]], seq: int) -> None:
    stays = tuple(stay(min(span), max(span)) for span in spans)
    seen = any(min(span) < seq <= max(span) for span in spans)
    found = facts(entries=(Entry("org:acme", seq),), intervals=stays)
    assert (reasons(found)["org:acme"] == "shown") == seen


def test_membership_at_the_planning_time_decides_about_channels() -> None:
    assert reasons(facts(intervals=(stay(0),)))["email"] == "type-default"
    assert reasons(facts(intervals=(stay(9, hours=1),)))["email"] == "outside-audience"
    expansion = Expanding("org:acme", ("email",), NOON + timedelta(hours=2), "zoe", done=True)
    assert reasons(facts(intervals=(stay(0, hours=1),), expansions=(expansion,)))["email"] == "type-default"


def test_the_routers_own_decision_is_derived() -> None:
    member = {"intervals": (stay(0),)}
    assert reasons(facts(**member, person=Person({})))["email"] == "no-address"
    assert reasons(facts(**member, person=None))["email"] == "unknown-person"
    assert reasons(facts(**member, named=("sms",)))["sms"] == "channel-unavailable"
    assert reasons(facts(**member, named=("email",)))["email"] == "channel-named"
    assert reasons(facts(**member, kind=None, named=("email",)))["email"] == "type-gone"


def test_outsiders_are_told_what_the_rules_would_have_said() -> None:
    (email,) = [a for a in explain(facts(person=Person({})), []) if a.where == "email"]
    assert (email.state, email.reason, email.derived) == ("not sent", "outside-audience", True)
    assert email.detail.endswith("had they been meant: suppressed, no-address")
    assert [step.line for step in email.steps if step.outcome == "decided"] == [13]


def test_who_is_excluded_is_not_addressed_and_not_shown() -> None:
    found = reasons(facts(intervals=(stay(0),), excluded=("ana",)))
    assert (found["audience"], found["org:acme"], found["email"]) == ("excluded", "excluded", "excluded")


def test_what_hides_it_is_told() -> None:
    member = {"intervals": (stay(0),)}
    assert reasons(facts(**member, withdrawn="replaced"))["org:acme"] == "replaced"
    assert reasons(facts(**member, withdrawn_in={"org:acme": "replaced"}))["org:acme"] == "replaced"
    assert reasons(facts(**member, withdrawn_in={"user:ben": "replaced"}))["org:acme"] == "shown"
    assert reasons(facts(**member, over=True))["org:acme"] == "expired"
    assert reasons(facts(**member, muted_since=NOON))["org:acme"] == "type-muted"
    assert reasons(facts(**member, muted_since=NOON, by_default=True))["org:acme"] == "default-off"
    assert reasons(facts(entries=(), withdrawn="cancelled"))["in-app"] == "cancelled"
    assert reasons(facts(entries=(), expires_at=NOON))["in-app"] == "expired"


def test_who_is_not_to_be_disturbed_is_shown_it_without_sound() -> None:
    own = {"entries": (Entry("user:ana", 1),), "addressed": ("user:ana",)}
    snoozing = Person({}, preferences=Preferences(snoozed_until=NOON + timedelta(hours=1)))
    shown = [a.detail for a in explain(facts(**own, person=snoozing), []) if a.where == "user:ana"]
    assert shown == ["their own room, seq 1, without sound: they were not to be disturbed"]


def test_what_is_recorded_is_not_derived() -> None:
    recorded = [{"channel": "email", "state": "sent", "reason": "sent", "attempts": 2}]
    answers = explain(facts(intervals=(stay(0),)), recorded)
    assert [(a.state, a.derived) for a in answers if a.where == "email"] == [("sent", False)]
