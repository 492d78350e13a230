"""How much each caller may still ask for: buckets that fill steadily, and the RateLimit fields that say so (429)."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass

from libs.http.problems import Problem

_MAX_CALLERS = 10_000  # callers are known by then: the bound is for memory, not for attacks


@dataclass(frozen=True, slots=True)
class Quota:
    """`per_second` units fill the bucket, which holds `burst`. `name` is that of the policy, `unit` what is counted."""

    name: str
    unit: str
    per_second: float
    burst: int

    @property
    def policy(self) -> str:
        """The field RateLimit-Policy."""
        return f'"{self.name}";q={self.burst};w={max(1, round(self.burst / self.per_second))}'


@dataclass(frozen=True, slots=True)
class Granted:
    """It may pass. `remaining` are left at once; the bucket is full again after `reset` seconds."""

    remaining: int
    reset: int


@dataclass(frozen=True, slots=True)
class Limited:
    """Too many. After `retry_after` seconds as many will be there, if they ever can be."""

    remaining: int
    retry_after: int


@dataclass(slots=True)
class Bucket:
    """The state of one caller. `at` is a monotonic time in seconds."""

    level: float
    at: float

    @classmethod
    def full(cls, quota: Quota, now: float) -> Bucket:
        """The bucket of a caller that has not been seen."""
        return cls(quota.burst, now)

    def take(self, units: int, quota: Quota, now: float) -> Granted | Limited:
        """Takes them all or none."""
        self.level = min(quota.burst, self.level + max(0.0, now - self.at) * quota.per_second)
        self.at = now
        if units > self.level:
            return Limited(int(self.level), max(1, math.ceil((units - self.level) / quota.per_second)))
        self.level -= units
        return Granted(int(self.level), math.ceil((quota.burst - self.level) / quota.per_second))


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
