"""What providers say of single addresses, in PostgreSQL: gone for good, or reached while others are not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from libs.postgres import faults
from libs.postgres.queries import load
from libs.runtime.logging import get_logger
from services.delivery.domain.delivery import Delivery, Device

_SQL = load(Path(__file__).with_suffix(".sql"))
_log = get_logger(__name__)


class PostgresAddresses:
    """Implements ports.Addresses. `pool` is set once the database answers, before anything is sent."""

    pool: asyncpg.Pool

    async def endpoint_gone(self, delivery: Delivery) -> None:
        endpoint = delivery.recipient.endpoint
        if endpoint is not None:
            await self._execute("disable_endpoint", delivery, endpoint.id, endpoint.url)

    async def device_gone(self, delivery: Delivery, device: Device) -> None:
        await self._execute("remove_device", delivery, delivery.recipient.user_id, device.id, device.token)

    async def reached(self, delivery: Delivery, devices: Sequence[str]) -> None:
        await self._execute("reached", delivery, delivery.id, delivery.token, list(devices))

    async def changes(self, statement: str, since: datetime) -> Sequence[Any]:
        """Of the tenants' catalogues, as libs.catalogue.feed asks for them."""
        return await self.pool.fetch(statement, since)

    async def _execute(self, statement: str, delivery: Delivery, *arguments: object) -> None:
        try:
            await self.pool.execute(_SQL[statement], delivery.tenant, *arguments)
        except Exception as error:
            if not faults.is_passing(error):
                raise
            # The next delivery finds out again, or a device shows a repeat in the place of what it has: no reason to
            # keep this one waiting.
            _log.warning("address_not_noted", **delivery.log_fields, status=statement, errors=[type(error).__name__])
        else:
            _log.info("address_noted", **delivery.log_fields, status=statement)
