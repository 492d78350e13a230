"""What the router needs of PostgreSQL to keep things no longer than they are to be kept. Calls raise what it raises."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.router.domain.notification import RoomPlace
from services.router.domain.retention import Aged, TenantAge
from services.router.domain.withdrawing import Withdrawn


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows one step removed."""

    notifications: int
    entries: int
    deliveries: int


class Purge(Protocol):
    """Removes what is too old, a little at a time; each step is whole."""

    async def ages(self) -> Sequence[TenantAge]:
        """Every tenant."""

    async def notifications(self, tenant: str, before: datetime, rows: int) -> Purged:
        """Removes some notifications that were planned before, whole; about `rows` rows. Nothing when none can go."""

    async def aged(self, tenant: str, kind: Aged, before: datetime, rows: int) -> int:
        """Removes some of what goes by its own age; how many."""


class Retention(Protocol):
    """What is kept for a time."""

    def turn(self) -> AbstractAsyncContextManager[Purge | None]:
        """The right to remove, which one process has at a time; None while another has it."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What one page erased: how many notifications, and the places of the control entries of those that were shown."""

    notifications: int
    withdrawn: Sequence[tuple[Withdrawn, tuple[RoomPlace, ...]]]


class Erasing(Protocol):
    """Requests to erase what was said to a person."""

    async def page(self) -> Erased | None:
        """A page of what is due, committed; None when nothing is due."""
