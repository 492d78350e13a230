"""Events for everybody in every tenant: each tenant is told once, whatever happens in between (S14)."""

from __future__ import annotations

from typing import Any

import pytest

from cli.adapters import audit_snapshot
from cli.domain.audit_report import judge
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent, Source
from services.router.domain.broadcasting import id_in
from services.router.domain.handover import Handover
from tests.integration.router.composed import Router, routing
from tests.integration.router.system import TENANT, System
from tests.unit.router.events import accepted

pytestmark = pytest.mark.covers("S14", "B1")

HTTP = Source(topic="http", partition=0, offset=0)
TENANTS = sorted([TENANT, *(f"t{n:02}" for n in range(12))])


async def tenants(system: System) -> None:
    rows = [(name,) for name in (*TENANTS, "gone")]
    await system.sql.execute("delete from tenants")
    await system.sql.executemany("insert into tenants (tenant) values ($1)", rows)
    await system.sql.execute("update tenants set disabled_at = now() where tenant = 'gone'")


def maintenance(**fields: Any) -> AcceptedEvent:
    named = {"recipients": Recipients(broadcast="platform", user_ids=("ada",)), "source": HTTP} | fields
    return accepted("system.notification", title="t", message="m", **named)


async def told(system: System) -> list[tuple[str, list[str]]]:
    """The rooms of what is shown, by tenant."""
    rows = await system.sql.fetch("select tenant, rooms from notifications where cancelled_at is null order by tenant")
    return [(row["tenant"], row["rooms"]) for row in rows]


async def page(router: Router, size: int, fault: Exception | None = None) -> None:
    async with router.work.broadcast(size) as publications:
        await router.outbox.hand_on(Handover(publications=list(publications)), {})
        if fault is not None:
            raise fault


async def rounds(router: Router) -> None:
    while await router.due.round():
        pass


async def differences(system: System) -> int:
    """What `carillon audit` says."""
    snapshot = await audit_snapshot.read(system.dsn, system.bootstrap, system.prefix, 10)
    return judge(snapshot, system.prefix, 10).difference


async def test_every_tenant_is_told_once_in_pages_and_the_accounting_adds_up(system: System, router: Router) -> None:
    await tenants(system)
    event = maintenance()
    records = await system.publish(event)
    await router.handle(records)
    await router.handle(records)  # the same again
    assert await told(system) == []
    await page(router, 5)
    with pytest.raises(ConnectionError):  # it dies after it told a page and before it says so
        await page(router, 5, ConnectionError())
    await system.sql.execute("insert into tenants (tenant) values ('later')")
    async with routing(system) as other:
        await rounds(other)
        await other.handle(await system.reread("system.notification", 1))
    expected = [(name, ["user:ada", "broadcast"] if name == TENANT else ["broadcast"]) for name in TENANTS]
    assert await told(system) == expected
    ids = await system.sql.fetch("select tenant, id from notifications")
    assert {(row["tenant"], row["id"]) for row in ids} == {(t, id_in(t, TENANT, event.id)) for t in TENANTS}
    assert await system.counted() == {"accepted": len(TENANTS) + 1, "duplicates": 5, "dead": 0, "gaps": 0}
    await system.adds_up()
    assert await differences(system) == 0


async def test_a_broadcast_that_is_cancelled_is_taken_back_everywhere(system: System, router: Router) -> None:
    await tenants(system)
    event = maintenance()
    await router.handle(await system.publish(event))
    await page(router, 6)
    told_of = await system.reread("system.notification", 1)
    await router.handle(told_of[:3])
    await system.cancel(event.id)
    await rounds(router)
    await router.handle(told_of)  # the others were on their way
    await system.sql.execute("update cancellations set look_at = now()")
    await rounds(router)
    assert await told(system) == []
    assert await system.sql.fetchval("select count(*) from notifications") == 6
    assert await system.sql.fetchval("select count(*) from room_log where kind = 1") >= 3
    left = await system.sql.fetch("select tenant from cancellations where done_at is null order by tenant")
    assert [tenant for (tenant,) in left] == TENANTS[6:], "who was not told might have been, had a router died"
    assert await differences(system) == 0


async def test_what_a_router_told_before_it_died_is_taken_back_as_well(system: System, router: Router) -> None:
    await tenants(system)
    event = maintenance()
    await router.handle(await system.publish(event))
    await page(router, 4)
    with pytest.raises(ConnectionError):
        await page(router, 4, ConnectionError())
    await router.handle(await system.reread("system.notification", 1))
    assert len(await told(system)) == 8
    await system.cancel(event.id)
    await rounds(router)
    await system.sql.execute("update cancellations set look_at = now()")
    await rounds(router)
    assert await told(system) == []
    assert await differences(system) == 0


async def test_what_its_sender_is_told_is_no_repeat_of_it(system: System, router: Router) -> None:
    await tenants(system)
    event = maintenance()
    records = await system.publish(event)
    await router.handle(records)
    await rounds(router)
    await router.handle(records + await system.reread("system.notification", 1))  # one batch, after a router died
    assert [tenant for tenant, _ in await told(system)] == TENANTS
    assert await system.counted() == {"accepted": len(TENANTS) + 1, "duplicates": 0, "dead": 0, "gaps": 0}
    assert await differences(system) == 0


async def test_one_that_was_cancelled_before_it_came_is_told_nobody(system: System, router: Router) -> None:
    await tenants(system)
    event = maintenance()
    await system.cancel(event.id)
    await router.handle(await system.publish(event))
    await rounds(router)
    assert await system.reread("system.notification", 1) == []
    assert await differences(system) == 0
