"""How much each caller of this process may still publish."""

from __future__ import annotations

import time
from collections import OrderedDict

from services.ingest.domain.rates import Bucket, Granted, Limited, Quota

_MAX_CALLERS = 10_000  # callers are known by then: the bound is for memory, not for attacks


class Quotas:
    """Buckets by caller. Each process counts for itself."""

    def __init__(self, quota: Quota | None) -> None:
        self.quota = quota
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, caller: str, events: int) -> Granted | Limited | None:
        """None when there is no limit."""
        if self.quota is None:
            return None
        now = time.monotonic()
        bucket = self._buckets.pop(caller, None) or Bucket.full(self.quota, now)
        self._buckets[caller] = bucket
        if len(self._buckets) > _MAX_CALLERS:
            self._buckets.popitem(last=False)
        return bucket.take(events, self.quota, now)
