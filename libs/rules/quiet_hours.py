"""When a person is not to be disturbed, and until when.

A window belongs to the day on which it starts. It reaches from the first minute that the clock shows within it to the
last one: where the clock is put back in a window, it is quiet throughout both passes of the hour; where it is put
forward, the skipped times end or begin with the change. Windows that touch are one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from libs.rules.clocks import combine, first, last_before
from libs.schemas.preferences import WEEKDAYS, QuietHours, QuietWindow

#: Whoever is always quiet is asked again after a week.
LONGEST = timedelta(days=7)
_DAY = timedelta(days=1)


def quiet_until(hours: QuietHours | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The end of the quiet time that `now` lies in, at most a week away; None when it is not quiet."""
    if hours is None or not hours.enabled or not hours.windows:
        return None
    until = now
    while until - now < LONGEST:
        ends = [end for start, end in _around(hours, zone, until) if start <= until < end]
        if not ends:
            break
        until = max(ends)
    return min(until, now + LONGEST).astimezone(UTC) if until > now else None


def _around(hours: QuietHours, zone: ZoneInfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The windows that may cover an instant: of its day on the clock, and of the days before and after it."""
    today = at.astimezone(zone).date()
    for day in (today - 2 * _DAY, today - _DAY, today, today + _DAY):
        for window in hours.windows:
            if WEEKDAYS[day.weekday()] in window.days:
                yield _instants(window, combine(day, window.start), zone)


def _instants(window: QuietWindow, start: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    end = combine(start.date(), window.end)
    return first(start, zone), last_before(end if end > start else end + _DAY, zone)
