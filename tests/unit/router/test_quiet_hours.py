"""Quiet hours against a model that looks at the clock every minute, over years of zones (S13)."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from libs.rules.clocks import digest_end, first, next_time
from libs.rules.quiet_hours import LONGEST, quiet_until
from libs.schemas.preferences import WEEKDAYS, DigestTime, QuietHours, QuietWindow, zone

pytestmark = pytest.mark.covers("S13", "F2-8", "F3-4")

# Changes of one hour and of half an hour, at midnight, in the southern summer, by whole days, and none at all.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Antarctica/Troll",
]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
START, END = datetime(1995, 1, 1, tzinfo=UTC), datetime(2037, 1, 1, tzinfo=UTC)
moments = st.datetimes(START.replace(tzinfo=None), END.replace(tzinfo=None), timezones=st.just(UTC))


@cache
def changes(name: str) -> list[datetime]:
    """Every change of a zone's offset from 1995 to 2037, to the minute."""
    where, found, at = zone(name), [], START
    while at < END:
        before = at.astimezone(where).utcoffset()
        if (at + DAY).astimezone(where).utcoffset() != before:
            found.append(next(t for t in minutes(at, at + DAY + MINUTE) if t.astimezone(where).utcoffset() != before))
        at += DAY
    return found


def minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    at = start
    while at < end:
        yield at
        at += MINUTE


def model(hours: QuietHours, where: ZoneInfo, start: datetime, end: datetime) -> set[datetime]:
    """The quiet minutes: for every window and day, all between the first and the last that the clock shows in it."""
    shown: dict[tuple[int, datetime], list[datetime]] = {}
    for at in minutes(start, end):
        clock = at.astimezone(where).replace(tzinfo=None)
        for number, window in enumerate(hours.windows):
            for day in (clock.date() - DAY, clock.date()):
                begin, over = (datetime.combine(day, time.fromisoformat(text)) for text in (window.start, window.end))
                over += DAY if over <= begin else timedelta()
                if WEEKDAYS[day.weekday()] in window.days and begin <= clock < over:
                    shown.setdefault((number, begin), []).append(at)
    return {at for those in shown.values() for at in minutes(those[0], those[-1] + MINUTE)}


clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
days = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True).map(tuple)
windows = st.builds(QuietWindow, days=st.just(WEEKDAYS) | days, start=clock_times, end=clock_times)
quiet = st.builds(QuietHours, windows=st.lists(windows, min_size=1, max_size=3).map(tuple))


@settings(max_examples=30, deadline=None)
@given(quiet, st.sampled_from(ZONES), st.data())
def test_every_minute_around_a_change_is_as_the_clock_shows(hours: QuietHours, name: str, data: st.DataObject) -> None:
    where = zone(name)
    at = data.draw(st.sampled_from(changes(name) or [datetime(2026, 3, 1, tzinfo=UTC)]))
    start, end = at - 8 * 60 * MINUTE, at + 8 * 60 * MINUTE
    wanted = model(hours, where, start - 2 * DAY, end + 2 * DAY)
    for now in minutes(start, end):
        if now.minute % 5 and abs(now - at) > 90 * MINUTE:
            continue
        until = quiet_until(hours, where, now)
        assert (until is not None) == (now in wanted), now
        if until is not None and until < end + DAY:
            assert until not in wanted
            assert until - MINUTE in wanted


@settings(max_examples=300, deadline=None)
@given(quiet, st.sampled_from(ZONES), moments)
def test_whenever_it_is_quiet_it_ends(hours: QuietHours, name: str, now: datetime) -> None:
    until = quiet_until(hours, zone(name), now)
    if until is None:
        return
    assert now < until <= now + LONGEST
    if until < now + LONGEST:
        assert quiet_until(hours, zone(name), until) is None
        assert quiet_until(hours, zone(name), until - timedelta(microseconds=1)) == until


def night(start: str, end: str) -> QuietHours:
    return QuietHours(windows=(QuietWindow(start=start, end=end),))


@pytest.mark.parametrize(
    ("hours", "name", "now", "until"),
    [
        (night("22:00", "07:00"), "Europe/Berlin", "2026-06-01T21:30Z", "2026-06-02T05:00Z"),
        (night("22:00", "07:00"), "Europe/Berlin", "2026-06-01T19:59Z", None),
        # The clock goes from 02:00 to 03:00: the night is an hour shorter, and what ends within the gap ends with it.
        (night("22:00", "07:00"), "Europe/Berlin", "2026-03-28T22:00Z", "2026-03-29T05:00Z"),
        (night("22:00", "02:30"), "Europe/Berlin", "2026-03-28T22:00Z", "2026-03-29T01:00Z"),
        (night("02:15", "02:45"), "Europe/Berlin", "2026-03-29T01:00Z", None),
        # It goes from 03:00 back to 02:00: quiet until the second 02:30.
        (night("22:00", "02:30"), "Europe/Berlin", "2026-10-25T00:45Z", "2026-10-25T01:30Z"),
        # Samoa had no 30 December 2011.
        (night("22:00", "07:00"), "Pacific/Apia", "2011-12-30T09:00Z", "2011-12-30T17:00Z"),
        (night("00:00", "00:00"), "UTC", "2026-01-01T00:00Z", "2026-01-08T00:00Z"),
        (QuietHours(enabled=False, windows=night("00:00", "00:00").windows), "UTC", "2026-01-01T00:00Z", None),
    ],
)
def test_nights(hours: QuietHours, name: str, now: str, until: str | None) -> None:
    wanted = None if until is None else datetime.fromisoformat(until)
    assert quiet_until(hours, zone(name), datetime.fromisoformat(now)) == wanted


@settings(max_examples=200, deadline=None)
@given(
    moments,
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.sampled_from(ZONES),
    st.none() | st.integers(0, 6),
)
@example(datetime(2011, 12, 30, tzinfo=UTC), time(9), "Pacific/Apia", 4)
def test_the_next_time_is_the_first_after_now(now: datetime, at: time, name: str, weekday: int | None) -> None:
    where = zone(name)
    found = next_time(now, at, where, weekday)
    assert now < found <= now + (9 if weekday is not None else 3) * DAY
    shown = found.astimezone(where)
    skipped = any(found == change for change in changes(name))
    assert skipped or (shown.hour, shown.minute) == (at.hour, at.minute)
    assert weekday is None or skipped or shown.weekday() == weekday
    earlier = next_time(found - MINUTE, at, where, weekday)
    assert earlier == found


@given(moments, st.sampled_from(ZONES))
def test_an_hourly_digest_ends_at_the_full_hour(now: datetime, name: str) -> None:
    end = digest_end("hourly", now, DigestTime(), zone(name))
    assert now < end <= now + timedelta(hours=1)
    assume(not any(abs(change - end) < DAY for change in changes(name)))
    assert (end.astimezone(zone(name)).minute, end.second, end.microsecond) == (0, 0, 0)


def test_daily_and_weekly_digests_end_at_the_persons_time() -> None:
    now, berlin = datetime(2026, 11, 21, 10, tzinfo=UTC), zone("Europe/Berlin")  # a Saturday
    assert digest_end("daily", now, DigestTime(at="08:30"), berlin) == datetime(2026, 11, 22, 7, 30, tzinfo=UTC)
    assert digest_end("weekly", now, DigestTime(at="12:00", weekday="sat"), berlin) == datetime(
        2026, 11, 21, 11, tzinfo=UTC
    )
    assert digest_end("weekly", now, DigestTime(), berlin) == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_a_skipped_time_is_the_end_of_the_gap() -> None:
    local = datetime.fromisoformat("2026-03-29T02:30")
    assert first(local, zone("Europe/Berlin")) == datetime(2026, 3, 29, 1, tzinfo=UTC)
