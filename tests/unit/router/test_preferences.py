"""What a person may be sent, when, and why not: the table of rules, line by line, and what holds for all of them."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.catalogue.types import Digest, PreferenceDefaults
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
    Withheld,
)
from libs.rules.person import Person, preferences, tenant_preferences
from libs.rules.preferences import MAX_ITEMS, Offer, decide, disturbs
from libs.schemas.preferences import Preferences, QuietHours, QuietWindow, TenantPreferences
from tests.unit.router.offers import ALERT, MORNING, NIGHT, NOW, ONCE, defaults, kind, mandatory, offer, person

pytestmark = pytest.mark.covers("F0-4", "S11", "S12", "S13", "F2-2", "F2-8", "F3-4", "B4")


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
