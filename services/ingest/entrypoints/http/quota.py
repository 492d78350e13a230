"""What a caller may still publish, as headers of the answer (IETF RateLimit fields)."""

from __future__ import annotations

from libs.http.problems import Problem
from libs.http.quotas import Quotas
from services.ingest.domain.access import Principal
from services.ingest.metrics import LIMITED


def within(quotas: Quotas, principal: Principal, events: int) -> dict[str, str]:
    """Takes so many from the caller's quota. Raises Problem: 429."""
    try:
        return quotas.take(f"{principal.tenant} {principal.actor}", events)
    except Problem:
        LIMITED.inc()
        raise
