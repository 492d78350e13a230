"""How long things are kept, and how slowly what is older is removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from libs.schemas.retention import Days, days_of

#: What goes by its own age, in this order: receipts after the notifications that they are about.
Aged = Literal["states", "receipts", "acknowledgements", "scheduled", "broadcasts", "audit"]
AGED: tuple[Aged, ...] = ("states", "receipts", "acknowledgements", "scheduled", "broadcasts", "audit")

_REST = 4  # of five parts of the time the database has four for others
_SHORTEST, _LONGEST = 0.02, 10.0


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how many days content is kept where the tenant says nothing, and the audit trail. 0 is for good."""

    content: Days
    audit: Days


@dataclass(frozen=True, slots=True)
class TenantAge:
    """What a tenant says of retention (the value in its settings), and when its oldest notification was planned."""

    tenant: str
    own: object
    oldest: datetime | None


def bounds(keeping: Keeping, own: object, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Before when content goes, and the audit trail; None keeps it for good."""
    return _bound(days_of(own, keeping.content), now), _bound(keeping.audit, now)


def overdue(oldest: datetime | None, bound: datetime | None) -> float:
    """By how many seconds the oldest is past its time; 0 when it is not."""
    return max(0.0, (bound - oldest).total_seconds()) if oldest is not None and bound is not None else 0.0


def pause(took: float) -> float:
    """Seconds to wait after a step: the slower the database, the longer it is left alone."""
    return min(max(took * _REST, _SHORTEST), _LONGEST)


def _bound(days: Days, now: datetime) -> datetime | None:
    return now - timedelta(days=days) if days else None
