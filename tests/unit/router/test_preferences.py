"""What a person may be sent, when, and why not: the table of rules, line by line, and what holds for all of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.catalogue.types import Digest, NotificationType, PreferenceDefaults
from libs.catalogue.types import Throttle as TypeThrottle
from libs.rules.decisions import (
    Because,
    Decision,
    Deferred,
    Digested,
    Gathered,
    Later,
    Planned,
    Suppressed,
    Throttle,
    Withheld,
)
from libs.rules.person import Person, preferences, tenant_preferences
from libs.rules.preferences import MAX_ITEMS, Offer, decide, disturbs, refusal
from libs.schemas.preferences import WEEKDAYS, Choice, Preferences, QuietHours, QuietWindow, TenantPreferences

pytestmark = pytest.mark.covers("F0-4", "S11", "S12", "S13", "F2-2", "F2-8", "F3-4", "B4")

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


@pytest.mark.parametrize(
    ("who", "asked", "decision"),
    [
        (person(), offer(deliverable=False), Suppressed(Withheld.CHANNEL_UNAVAILABLE)),
        (
            person(),
            offer(kind=kind(allowed_channels=("in-app",)), named=True),
            Suppressed(Withheld.CHANNEL_NOT_ALLOWED),
        ),
        (person(), offer(kind=kind(email="never")), Suppressed(Withheld.TYPE_NEVER)),
        (person(), offer(kind=kind(email="never"), named=True), Planned(Because.CHANNEL_NAMED)),
        (person(), offer(expires_at=NOW), Suppressed(Withheld.EXPIRED)),
        (None, offer(), Suppressed(Withheld.UNKNOWN_PERSON)),
        (Person({"email": "a@b"}, None), offer(), Suppressed(Withheld.PREFERENCES_UNREADABLE)),
        (mandatory(Person({"email": "a@b"}, None)), offer(), Planned(Because.TYPE_DEFAULT)),
        (
            person(unsubscribed={"email": ["*"]}, types={ALERT.key: {"email": True}}),
            offer(),
            Suppressed(Withheld.UNSUBSCRIBED),
        ),
        (person(unsubscribed={"email": [ALERT.key]}), offer(), Suppressed(Withheld.UNSUBSCRIBED)),
        (person(unsubscribed={"email": [ALERT.category]}), offer(named=True), Suppressed(Withheld.UNSUBSCRIBED)),
        (person(unsubscribed={"push": ["*"]}), offer(), Planned(Because.TYPE_DEFAULT)),
        (person(unsubscribed={"email": ["*"]}), offer(kind=kind(mandatory=True)), Planned(Because.TYPE_DEFAULT)),
        (mandatory(person(unsubscribed={"email": ["*"]})), offer(), Planned(Because.TYPE_DEFAULT)),
        (person(mutedTypes=[ALERT.key]), offer(), Suppressed(Withheld.TYPE_MUTED)),
        (mandatory(person(mutedTypes=[ALERT.key])), offer(), Planned(Because.TYPE_DEFAULT)),
        (person(types={ALERT.key: {"email": False}}), offer(), Suppressed(Withheld.TYPE_OFF)),
        (person(types={ALERT.key: {"email": {"policy": "never"}}}), offer(named=True), Suppressed(Withheld.TYPE_OFF)),
        (person(categories={ALERT.category: {"email": False}}), offer(), Suppressed(Withheld.CATEGORY_OFF)),
        (
            person(categories={ALERT.category: {"email": False}}, types={ALERT.key: {"email": True}}),
            offer(),
            Planned(Because.TYPE_DEFAULT),
        ),
        (person(channels={"email": False}), offer(named=True), Suppressed(Withheld.CHANNEL_OFF)),
        (person(channels={"email": False}, types={ALERT.key: {"email": True}}), offer(), Planned(Because.TYPE_DEFAULT)),
        (person(channels={"email": False}), offer(kind=kind(mandatory=True)), Planned(Because.TYPE_DEFAULT)),
        (defaults(types={ALERT.key: {"email": False}}), offer(), Suppressed(Withheld.DEFAULT_OFF)),
        (
            person(),
            offer(kind=kind(preferences=PreferenceDefaults(channels={"email": False}))),
            Suppressed(Withheld.DEFAULT_OFF),
        ),
        (
            person(channels={"email": True}),
            offer(kind=kind(preferences=PreferenceDefaults(channels={"email": False}))),
            Planned(Because.TYPE_DEFAULT),
        ),
        (Person({}), offer(), Suppressed(Withheld.NO_ADDRESS)),
        (Person({"email": ""}), offer(kind=kind(mandatory=True)), Suppressed(Withheld.NO_ADDRESS)),
        (Person({"email": "a@b"}, suppressed=frozenset({"email"})), offer(), Suppressed(Withheld.ADDRESS_SUPPRESSED)),
        (person(quietHours=NIGHT), offer(), Deferred(Later.QUIET_HOURS, MORNING)),
        (person(quietHours=NIGHT), offer(severity="critical"), Planned(Because.TYPE_DEFAULT)),
        (person(quietHours=NIGHT), offer(kind=kind(quiet_hours={"email": "drop"})), Suppressed(Withheld.QUIET_HOURS)),
        (person(quietHours=NIGHT), offer(kind=kind(quiet_hours={"email": "ignore"})), Planned(Because.TYPE_DEFAULT)),
        (person(quietHours=NIGHT), offer(now=MORNING), Planned(Because.TYPE_DEFAULT)),
        (
            person(quietHours=NIGHT, types={ALERT.key: {"email": {"quietHours": "ignore"}}}),
            offer(),
            Planned(Because.TYPE_DEFAULT),
        ),
        (
            mandatory(person(quietHours=NIGHT, channels={"email": {"quietHours": "drop"}})),
            offer(),
            Deferred(Later.QUIET_HOURS, MORNING),
        ),
        (defaults(quietHours=NIGHT), offer(), Deferred(Later.QUIET_HOURS, MORNING)),
        (person(snoozedUntil="2026-11-22T09:00:00Z"), offer(), Deferred(Later.SNOOZED, NOW + timedelta(hours=10))),
        (person(snoozedUntil="2026-11-22T01:00:00Z", quietHours=NIGHT), offer(), Deferred(Later.SNOOZED, MORNING)),
        (person(snoozedUntil="2026-11-21T22:59:00Z"), offer(), Planned(Because.TYPE_DEFAULT)),
        (
            person(channels={"email": {"frequency": "daily"}}),
            offer(),
            Digested(Gathered.DAILY, "daily", datetime(2026, 11, 22, 9, tzinfo=UTC), MAX_ITEMS),
        ),
        (
            person(channels={"email": {"frequency": "daily"}}, digest={"at": "08:00"}, quietHours=NIGHT),
            offer(),
            Digested(Gathered.DAILY, "daily", datetime(2026, 11, 22, 7, tzinfo=UTC), MAX_ITEMS),
        ),
        (
            person(channels={"email": {"frequency": "hourly"}}),
            offer(),
            Digested(Gathered.HOURLY, "hourly", NOW + timedelta(hours=1), MAX_ITEMS),
        ),
        (person(channels={"email": {"frequency": "daily"}}), offer(severity="critical"), Planned(Because.TYPE_DEFAULT)),
        (mandatory(person(channels={"email": {"frequency": "daily"}})), offer(), Planned(Because.TYPE_DEFAULT)),
        (
            person(),
            offer(kind=kind(digest=Digest(window_seconds=900, max_items=3)), digest_key="task 7"),
            Digested(Gathered.BY_TYPE, f"{ALERT.key} task 7", NOW + timedelta(minutes=15), 3),
        ),
        (person(), offer(kind=kind(digest=Digest(channels=("push",)))), Planned(Because.TYPE_DEFAULT)),
        (
            person(types={ALERT.key: {"email": {"frequency": "immediate"}}}),
            offer(kind=kind(digest=Digest())),
            Planned(Because.TYPE_DEFAULT),
        ),
        (
            person(),
            offer(kind=kind(email="when_offline")),
            Deferred(Later.WHEN_OFFLINE, NOW + timedelta(seconds=30), True),
        ),
        (person(), offer(kind=kind(email="when_offline"), named=True), Planned(Because.CHANNEL_NAMED)),
        (
            person(channels={"push": {"policy": "when_offline"}}),
            offer(channel="push", offline_grace=timedelta(seconds=5)),
            Deferred(Later.WHEN_OFFLINE, NOW + timedelta(seconds=5), True),
        ),
        (
            person(types={ALERT.key: {"email": {"policy": "always"}}}),
            offer(kind=kind(email="when_offline")),
            Planned(Because.TYPE_DEFAULT),
        ),
        (
            person(quietHours=NIGHT),
            offer(kind=kind(email="when_offline")),
            Deferred(Later.QUIET_HOURS, MORNING, True),
        ),
        (
            person(),
            offer(kind=kind(throttle=TypeThrottle(limit=1, per_seconds=60))),
            Planned(Because.TYPE_DEFAULT, ONCE),
        ),
        (
            person(quietHours=NIGHT),
            offer(kind=kind(throttle=TypeThrottle(limit=1, per_seconds=60))),
            Deferred(Later.QUIET_HOURS, MORNING, False, ONCE),
        ),
        (
            person(),
            offer(kind=kind(throttle=TypeThrottle(limit=1, per_seconds=60, channels=("sms",)))),
            Planned(Because.TYPE_DEFAULT),
        ),
    ],
)
def test_table(who: Person | None, asked: Offer, decision: Decision) -> None:
    assert decide(who, asked) == decision


@pytest.mark.parametrize(
    ("time_zone", "tenant_zone", "clock"),
    [
        ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo"),
        ("somewhere", "Europe/Berlin", "Europe/Berlin"),
        (None, "Europe/Berlin", "Europe/Berlin"),
        ("../etc", None, "UTC"),
    ],
)
def test_whose_clock_it_is(time_zone: str | None, tenant_zone: str | None, clock: str) -> None:
    who = Person({}, tenant=TenantPreferences(time_zone=tenant_zone), time_zone=time_zone)
    assert who.clock.key == clock


def test_quiet_hours_without_a_zone_are_on_the_persons_clock() -> None:
    hours = QuietHours(windows=(QuietWindow(start="22:00", end="07:00"),))
    who = Person({"email": "a@b"}, Preferences(quiet_hours=hours), time_zone="Asia/Tokyo")
    assert decide(who, offer(now=datetime(2026, 11, 21, 13, tzinfo=UTC))) == Deferred(
        Later.QUIET_HOURS, datetime(2026, 11, 21, 22, tzinfo=UTC)
    )
    assert decide(who, offer(now=NOW)) == Planned(Because.TYPE_DEFAULT)


def test_in_app_is_silent_in_quiet_hours_alone() -> None:
    who = person(quietHours=NIGHT)
    assert not disturbs(who, ALERT, "high", NOW)
    assert disturbs(who, ALERT, "critical", NOW)
    assert disturbs(who, ALERT, "high", MORNING)
    assert disturbs(who, kind(quiet_hours={"in-app": "ignore"}), "high", NOW)
    assert not disturbs(person(snoozedUntil="2026-11-22T09:00:00Z"), ALERT, "high", NOW)


def test_documents_that_cannot_be_read_withhold_and_those_of_tenants_decide_nothing() -> None:
    assert preferences('{"channels": 7}') is None
    assert preferences(None) == preferences("{}") == Preferences()
    assert preferences('{"channels": {"email": false}, "of the future": 1}') == Preferences(channels={"email": False})
    assert tenant_preferences("[]") == tenant_preferences(None) == TenantPreferences()


# What holds for every document ----------------------------------------------------------------------------------------

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
