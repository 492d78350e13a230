"""Which lane a tenant's events go by, so that one that publishes without end does not hold up the others.

Order within a key must hold through a change of lane, whichever process the next event comes through. So a change is
announced, and takes effect when every process knows of it: for a moment before that nothing of the tenant is produced
by anybody, and what comes afterwards follows everything that was produced before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from libs.runtime.quota import Bucket, Limited, Quota

#: Seconds from an announcement to its effect: every process looks several times meanwhile.
NOTICE = 1.0
#: Seconds for which nothing is produced, so that clocks and looks need not agree exactly.
PAUSE = 0.2
#: Seconds below its share after which a tenant may come back.
CALM = 5.0


class Lane(Enum):
    """Where an event goes now."""

    FAST = auto()
    HELD = auto()
    BULK = auto()


@dataclass(frozen=True, slots=True)
class Diversion:
    """A tenant that goes, or is about to go, by the bulk lane. Times are this process's monotonic seconds."""

    announced: float
    over: float
    ending: float | None = None

    def lane(self, now: float) -> Lane:
        """Where the tenant's events go. From the end of its notice on, an ending diversion holds them until removed."""
        if self.ending is not None and now >= self.ending + NOTICE:
            return Lane.HELD
        since = now - self.announced
        if since < NOTICE:
            return Lane.FAST
        return Lane.HELD if since < NOTICE + PAUSE else Lane.BULK

    def is_settled(self, now: float) -> bool:
        """Whether nobody produces to the bulk lane any more, because the end is known to all."""
        return self.ending is not None and now >= self.ending + NOTICE + PAUSE

    def may_end(self, now: float) -> bool:
        """Whether the tenant has been calm for long enough."""
        return self.ending is None and now - self.over >= CALM and now - self.announced >= NOTICE + CALM


class Shares:
    """How much each tenant publishes through this process. Remembers as many as have published of late."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._buckets: dict[str, Bucket] = {}

    def count(self, tenants: Iterable[str], now: float) -> set[str]:
        """Counts an event for each; returns the tenants that are over their share."""
        return {tenant for tenant, events in Counter(tenants).items() if self._is_over(tenant, events, now)}

    def forget(self, now: float) -> None:
        """Drops the tenants whose bucket is full again: it would be full for somebody new as well."""
        full = self._quota.burst / self._quota.per_second
        self._buckets = {tenant: bucket for tenant, bucket in self._buckets.items() if now - bucket.at < full}

    def _is_over(self, tenant: str, events: int, now: float) -> bool:
        bucket = self._buckets.get(tenant)
        if bucket is None:
            bucket = self._buckets[tenant] = Bucket.full(self._quota, now)
        if not isinstance(bucket.take(events, self._quota, now), Limited):
            return False
        bucket.level = 0.0
        return True


def follows(ends: Mapping[int, int]) -> bytes:
    """The value of FOLLOWS_HEADER for a topic whose partitions end at these offsets."""
    return ",".join(str(ends[number]) for number in sorted(ends)).encode()
