"""Who is excluded from a group's notification: no delivery, hidden in the inbox, named on the emission."""

from __future__ import annotations

import pytest

from libs.schemas.events import Recipients
from tests.integration.router.composed import Router
from tests.integration.router.system import TENANT, System
from tests.integration.router.test_expansions import announcement, done, expanding, people

pytestmark = pytest.mark.covers("F0-1", "B2")


async def test_nothing_of_a_group_reaches_who_is_excluded(system: System, router: Router) -> None:
    await people(system, 4)
    await system.listen(3, "org:o")
    event = announcement(recipients=Recipients(org_ids=("o",), exclude_user_ids=("u001", "u002", "stranger")))
    async with expanding(router):
        await router.handle(await system.publish(event))
        await system.until(lambda: done(system))
    sent = await system.sql.fetch("select user_id from deliveries order by user_id")
    assert [row[0] for row in sent] == ["u000", "u003"]
    hidden = await system.sql.fetch(
        "select user_id, room, seq from receipts where tenant = $1 and deleted_at is not null order by 1", TENANT
    )
    assert [tuple(row) for row in hidden] == [(name, "org:o", 1) for name in ("stranger", "u001", "u002")]
    (emission,) = await system.emissions()
    assert emission.excluded == ("stranger", "u001", "u002")
    await system.adds_up()


async def test_a_repeated_batch_hides_it_no_second_time(system: System, router: Router) -> None:
    event = announcement(recipients=Recipients(org_ids=("o",), exclude_user_ids=("u001",)))
    for _ in range(2):
        await router.handle(await system.publish(event))
    assert await system.sql.fetchval("select count(*) from receipts") == 1
    assert [emission.excluded for emission in await system.emissions()] == []


async def test_producers_cannot_exclude_by_a_field_of_that_name(system: System, router: Router) -> None:
    await system.listen(3, "org:o")
    await router.handle(await system.publish(announcement(excluded="everybody")))
    (emission,) = await system.emissions()
    assert emission.excluded == ()
