"""How fast deliveries may be sent: on a channel altogether, and for each tenant."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_MAX_TENANTS = 10_000


@dataclass(slots=True)
class Meter:
    """So many a second, and no more than a second's worth at once. Times are monotonic seconds.

    `free_at` is when everything that was let through would have been sent at an even pace.
    """

    per_second: float
    free_at: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until one more may be sent."""
        return max(0.0, self.free_at - now - max(1.0 - 1.0 / self.per_second, 0.0))

    def take(self, now: float) -> None:
        """One is sent."""
        self.free_at = max(self.free_at, now) + 1.0 / self.per_second


class Rates:
    """Per process. 0 is no limit."""

    def __init__(self, per_second: float = 0.0, per_tenant: float = 0.0) -> None:
        self._channel = Meter(per_second) if per_second else None
        self._per_tenant = per_tenant
        self._tenants: OrderedDict[str, Meter] = OrderedDict()

    def take(self, tenant: str, now: float) -> float:
        """0 where one of the tenant may be sent now, which counts; else in how many seconds to ask again."""
        meters = [meter for meter in (self._channel, self._of(tenant)) if meter is not None]
        wait = max((meter.wait(now) for meter in meters), default=0.0)
        if wait == 0.0:
            for meter in meters:
                meter.take(now)
        return wait

    def _of(self, tenant: str) -> Meter | None:
        if not self._per_tenant:
            return None
        meter = self._tenants.pop(tenant, None) or Meter(self._per_tenant)
        self._tenants[tenant] = meter
        if len(self._tenants) > _MAX_TENANTS:
            self._tenants.popitem(last=False)
        return meter


def spread(waits: list[tuple[str, float]], per_second: float, per_tenant: float) -> list[float]:
    """Delays for what came too early, as (tenant, wait) in their order: one behind the other, so that they do not all
    come back at once."""
    counts: dict[str, int] = {}
    delays = []
    for place, (tenant, wait) in enumerate(waits):
        mine = counts[tenant] = counts.get(tenant, -1) + 1
        behind = max(place / per_second if per_second else 0.0, mine / per_tenant if per_tenant else 0.0)
        delays.append(wait + behind)
    return delays
