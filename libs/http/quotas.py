"""How much each caller may still ask for: buckets that fill steadily, and the RateLimit fields that say so (429)."""

from __future__ import annotations

import time
from collections import OrderedDict

from libs.http.problems import Problem
from libs.runtime.quota import Bucket, Granted, Limited, Quota

_MAX_CALLERS = 10_000  # callers are known by then: the bound is for memory, not for attacks


class Quotas:
    """Buckets by caller. Each process counts for itself; without a quota there is no limit."""

    def __init__(self, quota: Quota | None) -> None:
        self.quota = quota
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, caller: str, units: int = 1) -> dict[str, str]:
        """The RateLimit fields of the answer. Raises Problem 429."""
        if self.quota is None:
            return {}
        now = time.monotonic()
        bucket = self._buckets.pop(caller, None) or Bucket.full(self.quota, now)
        self._buckets[caller] = bucket
        if len(self._buckets) > _MAX_CALLERS:
            self._buckets.popitem(last=False)
        return _told(self.quota, bucket.take(units, self.quota, now))


def _told(quota: Quota, taken: Granted | Limited) -> dict[str, str]:
    policy = {"RateLimit-Policy": quota.policy}
    if isinstance(taken, Granted):
        return policy | {"RateLimit": f'"{quota.name}";r={taken.remaining};t={taken.reset}'}
    again = str(taken.retry_after)
    headers = policy | {"RateLimit": f'"{quota.name}";r={taken.remaining};t={again}', "Retry-After": again}
    detail = f"the quota of {quota.per_second:g} {quota.unit}/s is used up"
    raise Problem(429, "rate-limited", detail, headers=headers)
