"""Addresses that a provider has declared dead, taken out of the directory's tables."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from libs.postgres import faults
from libs.postgres.queries import load
from libs.runtime.logging import get_logger
from services.delivery.domain.delivery import Delivery

_SQL = load(Path(__file__).with_suffix(".sql"))
_log = get_logger(__name__)


class PostgresAddresses:
    """Implements ports.Addresses. `pool` is set once the database answers, before anything is sent."""

    pool: asyncpg.Pool

    async def endpoint_gone(self, delivery: Delivery) -> None:
        endpoint = delivery.recipient.endpoint
        if endpoint is not None:
            await self._execute("disable_endpoint", delivery, endpoint.id, endpoint.url)

    async def _execute(self, statement: str, delivery: Delivery, *arguments: object) -> None:
        try:
            await self.pool.execute(_SQL[statement], delivery.tenant, *arguments)
        except Exception as error:
            if not faults.is_passing(error):
                raise
            # The next delivery to the address finds out again: no reason to keep this one waiting.
            _log.warning("address_kept", **delivery.log_fields, errors=[type(error).__name__])
        else:
            _log.info("address_removed", **delivery.log_fields, status=statement)
