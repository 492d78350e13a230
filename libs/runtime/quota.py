"""How much somebody may do: a bucket that fills steadily."""

from __future__ import annotations

import math
from dataclasses import dataclass


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
