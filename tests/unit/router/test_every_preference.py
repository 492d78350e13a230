"""What holds of the table of rules for every document: it is total, and turning off adds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.types import Digest
from libs.catalogue.types import Throttle as TypeThrottle
from libs.rules.decisions import Deferred, Digested, Later, Suppressed
from libs.rules.person import Person
from libs.rules.preferences import Offer, decide, refusal
from libs.schemas.preferences import WEEKDAYS, Choice, Preferences, QuietHours, QuietWindow, TenantPreferences
from tests.unit.router.offers import ALERT, NOW, kind

pytestmark = pytest.mark.covers("F0-4", "S11", "S12", "S13", "F2-2", "F2-8", "F3-4", "B4")

choices = st.booleans() | st.builds(
    Choice,
    enabled=st.none() | st.booleans(),
    policy=st.none() | st.sampled_from(["always", "when_offline", "never"]),
    frequency=st.none() | st.sampled_from(["immediate", "hourly", "daily", "weekly"]),
    quiet_hours=st.none() | st.sampled_from(["defer", "drop", "ignore"]),
)
scopes = st.dictionaries(st.sampled_from(["email", "push"]), choices)
times = st.sampled_from(["00:00", "06:30", "22:00"])
documents = st.builds(
    Preferences,
    channels=scopes,
    categories=st.dictionaries(st.just(ALERT.category), scopes),
    types=st.dictionaries(st.just(ALERT.key), scopes),
    muted_types=st.sampled_from([(), (ALERT.key,)]),
    unsubscribed=st.dictionaries(st.sampled_from(["email", "push"]), st.sampled_from([("*",), (ALERT.key,), ("x",)])),
    quiet_hours=st.none()
    | st.builds(
        QuietHours,
        time_zone=st.none() | st.sampled_from(["Europe/Berlin", "Asia/Kathmandu"]),
        windows=st.builds(lambda s, e: (QuietWindow(days=WEEKDAYS, start=s, end=e),), times, times),
    ),
    snoozed_until=st.none() | st.sampled_from([NOW - timedelta(hours=1), NOW + timedelta(hours=1)]),
)
people = st.builds(
    Person,
    st.dictionaries(st.sampled_from(["email", "push"]), st.sampled_from(["", "a@b"])),
    st.none() | documents,
    st.frozensets(st.sampled_from(["email", "push"])),
    st.builds(
        TenantPreferences,
        defaults=documents,
        mandatory=st.dictionaries(st.just(ALERT.key), st.sampled_from([(), ("email",)])),
    ),
    st.sampled_from([None, "Asia/Tokyo", "nowhere"]),
)
kinds = st.builds(
    kind,
    email=st.sampled_from(["always", "when_offline", "never"]),
    mandatory=st.booleans(),
    quiet_hours=st.dictionaries(st.just("email"), st.sampled_from(["defer", "drop", "ignore"])),
    digest=st.none() | st.just(Digest()),
    throttle=st.none() | st.just(TypeThrottle(limit=1, per_seconds=60)),
    allowed_channels=st.sampled_from([None, ("email",)]),
)
offers = st.builds(
    Offer,
    kinds,
    st.sampled_from(["email", "push"]),
    st.just(NOW),
    named=st.booleans(),
    deliverable=st.booleans(),
    severity=st.sampled_from(["normal", "critical"]),
    expires_at=st.sampled_from([None, NOW, NOW + timedelta(hours=1)]),
)


@given(st.none() | people, offers)
def test_every_person_and_offer_has_one_answer(who: Person | None, asked: Offer) -> None:
    decision = decide(who, asked)
    assert decision == decide(who, asked)
    refused = refusal(asked)
    assert refused is None or decision == Suppressed(refused), "what nobody gets, no one person gets"
    if isinstance(decision, Deferred):
        assert decision.until > NOW
    if isinstance(decision, Digested):
        assert decision.closes_at > NOW


def switched_off(scope: Mapping[Any, bool | Choice], channel: str) -> dict[str, bool | Choice]:
    choice = scope.get(channel)
    off = choice.model_copy(update={"enabled": False}) if isinstance(choice, Choice) else False
    return {**scope, channel: off}


@given(people, offers, st.sampled_from(["channels", "categories", "types", "muted", "unsubscribed"]))
def test_turning_off_adds_nothing(who: Person, asked: Offer, where: str) -> None:
    """Whatever else a document says: with one more thing turned off, nothing is sent that was not sent before."""
    document, channel = who.wants, asked.channel
    of_category, of_type = document.categories.get(ALERT.category, {}), document.types.get(ALERT.key, {})
    quieter: dict[str, dict[str, Any]] = {
        "channels": {"channels": switched_off(document.channels, channel)},
        "categories": {"categories": {ALERT.category: switched_off(of_category, channel)}},
        "types": {"types": {ALERT.key: switched_off(of_type, channel)}},
        "muted": {"muted_types": (ALERT.key,)},
        "unsubscribed": {"unsubscribed": {channel: ("*",)}},
    }
    less = Person(who.addresses, document.model_copy(update=quieter[where]), who.suppressed, who.tenant, who.time_zone)
    more = Person(who.addresses, document, who.suppressed, who.tenant, who.time_zone)
    before, after = decide(more, asked), decide(less, asked)
    assert not isinstance(before, Suppressed) or isinstance(after, Suppressed)
    if where in ("types", "muted", "unsubscribed") and not who.must_have(asked.kind, channel):
        assert isinstance(after, Suppressed)


@given(people, offers)
def test_what_is_mandatory_is_withheld_by_no_wish(who: Person, asked: Offer) -> None:
    if not who.must_have(asked.kind, asked.channel):
        return
    without = Person(who.addresses, Preferences(), who.suppressed, who.tenant, who.time_zone)
    assert isinstance(decide(who, asked), Suppressed) == isinstance(decide(without, asked), Suppressed)


@given(people, offers)
def test_critical_waits_for_nobody_to_wake(who: Person, asked: Offer) -> None:
    if asked.severity == "critical":
        decision = decide(who, asked)
        assert not isinstance(decision, Digested)
        assert not isinstance(decision, Deferred) or decision.reason is Later.WHEN_OFFLINE
