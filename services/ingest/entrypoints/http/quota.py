"""What a caller may still publish, as headers of the answer (IETF RateLimit fields)."""

from __future__ import annotations

from libs.http.problems import Problem
from services.ingest.domain.access import Principal
from services.ingest.domain.rates import Limited
from services.ingest.handlers.quotas import Quotas
from services.ingest.metrics import LIMITED


def within(quotas: Quotas, principal: Principal, events: int) -> dict[str, str]:
    """Takes so many from the caller's quota. Raises Problem: 429."""
    taken, quota = quotas.take(f"{principal.tenant} {principal.actor}", events), quotas.quota
    if taken is None or quota is None:
        return {}
    policy = {"RateLimit-Policy": f'"events";q={quota.burst};w={max(1, round(quota.burst / quota.per_second))}'}
    if isinstance(taken, Limited):
        LIMITED.inc()
        told = {
            "RateLimit": f'"events";r={taken.remaining};t={taken.retry_after}',
            "Retry-After": str(taken.retry_after),
        }
        raise Problem(
            429, "rate-limited", f"the quota of {quota.per_second:g} events/s is used up", headers=policy | told
        )
    return policy | {"RateLimit": f'"events";r={taken.remaining};t={taken.reset}'}
