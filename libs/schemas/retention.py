"""For how long content is kept: the days of a setting, and of a tenant's own document."""

from __future__ import annotations

from libs.schemas.topics import IDS_KEPT

Days = int  # 0 is for good

#: The shortest time: while the id of an event is known, its notification is what tells a repeat from a new event.
SHORTEST: Days = IDS_KEPT.days
#: Where a tenant says so itself, in `tenants.settings`.
TENANT_SETTING = "retentionDays"


def checked(days: Days) -> Days:
    """The days. Raises ValueError for less than ids are known."""
    if days != 0 and days < SHORTEST:
        raise ValueError(f"expected 0, for good, or at least {SHORTEST} days: so long the ids of events are known")
    return days


def days_of(own: object, otherwise: Days) -> Days:
    """What a tenant's document says, where that is a number of days; too few are the fewest."""
    if not isinstance(own, int) or isinstance(own, bool) or own < 0:
        return otherwise
    return max(own, SHORTEST) if own else 0
