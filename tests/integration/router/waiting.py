"""What waits: let its time come, and see what became of it."""

from __future__ import annotations

import asyncpg

from services.delivery.adapters.ledger import PostgresLedger as DeliveryLedger
from services.delivery.domain.delivery import Delivery
from tests.integration.router.composed import Router
from tests.integration.router.system import System
from tests.vault import vault


async def states(system: System) -> dict[tuple[str, str], list[str]]:
    """Of each person and reason the states of their deliveries."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in await system.sql.fetch("select user_id, reason, state from deliveries order by user_id, reason, state"):
        found.setdefault((row[0], row[1]), []).append(row[2])
    return found


async def emailed(system: System, limit: int = 100) -> list[Delivery]:
    """What a worker for emails claims now."""
    pool = await asyncpg.create_pool(system.dsn, min_size=1, max_size=1, server_settings={"role": "carillon_delivery"})
    try:
        return await DeliveryLedger(pool, vault(), "email", 30.0, repeatable=True).claim_due(limit)
    finally:
        await pool.close()


async def all_due(system: System) -> None:
    """Time passes for everything that waits."""
    await system.sql.execute("update deliveries set next_attempt_at = now() where next_attempt_at is not null")
    await system.sql.execute("update digests set closes_at = now() where closed_at is null")
    await system.sql.execute("update scheduled set due_at = now() where state = 'waiting'")
    await system.sql.execute("update cancellations set look_at = now()")


async def rounds(router: Router) -> None:
    while await router.due.round():
        pass
