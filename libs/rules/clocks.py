"""Clock times of a person as instants, also where a clock is put forward, or back and shows times twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from libs.schemas.preferences import WEEKDAYS, DigestTime

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


def first(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the clock shows `local` (without zone), or the end of the gap that skips it."""
    early, late = _readings(local, zone)
    return _change(early, late, zone) if _skipped(local, zone) else min(early, late)


def last_before(local: datetime, zone: ZoneInfo) -> datetime:
    """The end of the last minute that the clock shows before `local` on its way there, or the begin of the gap."""
    minute = local - _MINUTE
    early, late = _readings(minute, zone)
    return _change(early, late, zone) if _skipped(minute, zone) else max(early, late) + _MINUTE


def next_time(now: datetime, at: time, zone: ZoneInfo, weekday: int | None = None) -> datetime:
    """The first instant after `now` at which the clock shows this time, on a weekday (0 is Monday) or any day."""
    day = now.astimezone(zone).date()
    for ahead in range(9):
        candidate = day + ahead * _DAY
        if weekday is None or candidate.weekday() == weekday:
            instant = first(datetime.combine(candidate, at), zone)
            if instant > now:
                return instant
    raise AssertionError("nine days hold every weekday and time")


def digest_end(frequency: str, now: datetime, wanted: DigestTime, zone: ZoneInfo) -> datetime:
    """When a digest that is begun now is sent: at the next full hour, or at the person's time of day or week."""
    if frequency == "hourly":
        local = now.astimezone(zone)
        # Within the hour that the clock shows: zones stand apart by quarters of an hour, and an hour is one anywhere.
        return (
            now
            + timedelta(hours=1)
            - timedelta(minutes=local.minute, seconds=local.second, microseconds=now.microsecond)
        )
    weekday = WEEKDAYS.index(wanted.weekday) if frequency == "weekly" else None
    return next_time(now, clock_time(wanted.at), zone, weekday)


def clock_time(text: str) -> time:
    """The time of `HH:MM`."""
    return time(int(text[:2]), int(text[3:]))


def combine(day: date, text: str) -> datetime:
    """A day and `HH:MM`, without zone."""
    return datetime.combine(day, clock_time(text))


def _readings(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return tuple(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))  # type: ignore[return-value]


def _skipped(local: datetime, zone: ZoneInfo) -> bool:
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    return instant.astimezone(zone).replace(tzinfo=None) != local


def _change(one: datetime, other: datetime, zone: ZoneInfo) -> datetime:
    """The instant between two at which the offset changes; zones change on full minutes."""
    low, high = min(one, other), max(one, other)
    before = low.astimezone(zone).utcoffset()
    while high - low > _MINUTE:
        middle = low + (high - low) // 2 // _MINUTE * _MINUTE
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high
