"""Slots and interest in PostgreSQL. The database's clock decides about leases, so gateways need not agree on one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from libs.postgres.queries import load
from services.gateway.adapters.postgres.database import Database
from services.gateway.errors import LeaseLost
from services.gateway.ports import Renewal, Room, Slot

_SQL = load(Path(__file__).with_suffix(".sql"))
_HEARTBEAT: Room = ("", "")  # nobody's room: its row says that everything held had been registered
_TIMEOUT = 5.0  # seconds: a renewal that hangs is worth nothing


class PostgresSlots:
    """Leases of `count` slots for the process `holder`, each `lease` seconds long."""

    def __init__(self, database: Database, holder: str, count: int, lease: float) -> None:
        self._database, self._holder, self._count = database, holder, count
        self._lease = timedelta(seconds=lease)

    async def lease(self, avoid: int | None) -> Slot | None:
        """See ports.Slots."""
        rows = await self._database.fetch(
            _SQL["lease"], self._count, self._holder, self._lease, avoid, timeout=_TIMEOUT
        )
        if not rows:
            return None
        slot = Slot(rows[0]["slot"], rows[0]["epoch"])
        await self._database.fetch(_SQL["forget"], slot.number, slot.epoch, timeout=_TIMEOUT)
        return slot

    async def renew(self, slot: Slot) -> Renewal:
        """See ports.Slots."""
        rows = await self._database.fetch(
            _SQL["renew"], slot.number, slot.epoch, self._holder, self._lease, timeout=_TIMEOUT
        )
        if not rows:
            raise LeaseLost(f"slot {slot.number} has another holder")
        return Renewal(rows[0]["server_started"], rows[0]["registered"])

    async def release(self, slot: Slot) -> None:
        """See ports.Slots."""
        await self._database.fetch(_SQL["release"], slot.number, slot.epoch, self._holder, timeout=_TIMEOUT)

    async def register(self, slot: Slot, rooms: Sequence[Room], *, everything: bool = False) -> None:
        """See ports.Interests."""
        if everything:
            rooms = [*rooms, _HEARTBEAT]
        tenants, names = [tenant for tenant, _ in rooms], [room for _, room in rooms]
        rows = await self._database.fetch(_SQL["register"], tenants, names, slot.number, slot.epoch, self._holder)
        if not rows[0]["ours"]:
            raise LeaseLost(f"slot {slot.number} has another holder")

    async def withdraw(self, slot: Slot, rooms: Sequence[Room]) -> None:
        """See ports.Interests."""
        tenants, names = [tenant for tenant, _ in rooms], [room for _, room in rooms]
        await self._database.fetch(_SQL["withdraw"], tenants, names, slot.number, slot.epoch)

    async def listening(self, rooms: Sequence[Room]) -> dict[Room, list[int]]:
        """See ports.Interests."""
        tenants, names = [tenant for tenant, _ in rooms], [room for _, room in rooms]
        found: dict[Room, list[int]] = {}
        for row in await self._database.fetch(_SQL["listening"], tenants, names):
            found.setdefault((row["tenant"], row["room"]), []).append(row["slot"])
        return found
