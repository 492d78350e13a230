"""What the simulation takes PostgreSQL for: the same batches leave the same in its tables and in the real ones."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.integration.router.composed import routing
from tests.integration.router.system import System
from tests.simulation.catalogue import CATALOGUE, ORG, What, event
from tests.simulation.routers import PARTITIONS
from tests.simulation.test_routers import Scenario, simulate

pytestmark = pytest.mark.covers("B1", "B4")

KINDS: Sequence[tuple[What, str]] = (
    ("plain", "ada"),
    ("mail", "bea"),
    *(("throttled", "ada"),) * 4,
    *(("digested", "bea"),) * 5,
    ("broken", "ada"),
    ("collapsing", "ada"),
    ("group", "bea"),
    ("refused", "ada"),
    ("collapsing", "bea"),
    ("collapsing", "ada"),
    ("throttled", "bea"),
    ("digested", "ada"),
)
ORDER = [*range(8), 3, *range(8, len(KINDS)), 0, len(KINDS) - 1]  # three of them twice


@pytest.mark.parametrize("batch", [1, 4, 50])
async def test_the_same_batches_leave_the_same(system: System, batch: int) -> None:
    for user in ORG:
        await system.person(user)
    await system.member("org:o", *ORG)
    records = await system.publish(*(event(n, *KINDS[n]) for n in ORDER))
    async with routing(system, page_size=2) as router:
        router.catalogues.base = CATALOGUE
        for first in range(0, len(records), batch):
            await router.handle(records[first : first + batch])
        await router.expand()
    assert await real(system) == await asyncio.to_thread(simulated, batch)


async def real(system: System) -> dict[str, Any]:
    log = await system.sql.fetch("select room, notification, kind from room_log order by room, seq")
    decided = await system.sql.fetch("select notification, user_id, state, reason from deliveries")
    items = await system.sql.fetch("select user_id, items from digests")
    groups = await system.sql.fetch("select planned, done_at is not null from expansions")
    return {
        "log": [tuple(row) for row in log],
        "decided": Counter(tuple(row) for row in decided),
        "digests": Counter(tuple(row) for row in items),
        "groups": [tuple(row) for row in groups],
        "counted": await system.counted(),
    }


def simulated(batch: int) -> dict[str, Any]:
    database = simulate(Scenario(KINDS, [(0, n) for n in ORDER], [], batch)).database
    log = [(room, e.notification, e.kind) for (_, room, _), e in sorted(database.table("room_log").items())]
    # The simulation goes on until its digests are closed.
    rows = [row for row in database.table("deliveries").values() if row.reason != "digest"]
    at = database.table("progress")[PARTITIONS[0]]
    return {
        "log": log,
        "decided": Counter((row.notification, row.user_id, row.state, row.reason) for row in rows),
        "digests": Counter((row.key[1], row.digest.items) for row in database.table("digests").values()),
        "groups": [(row.planned, row.done) for row in database.table("expansions").values()],
        "counted": {"accepted": at.accepted, "duplicates": at.duplicates, "dead": at.dead, "gaps": at.gaps},
    }
