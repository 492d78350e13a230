"""What was kept long enough goes whole, and nothing else: on real stores."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from cli.adapters import audit_snapshot
from cli.domain.audit_report import judge
from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from libs.runtime.health import Progress
from libs.schemas.events import Recipients
from services.router.adapters.retention import PostgresRetention
from services.router.domain.retention import Keeping
from services.router.handlers.holding import Holding
from services.router.handlers.retention import RetentionHandler
from services.router.keeping_ports import Purged
from tests.integration.router.composed import Router
from tests.integration.router.events import by_email, to
from tests.integration.router.system import TENANT, System
from tests.integration.router.waiting import rounds

pytestmark = pytest.mark.covers("F2-8")


async def age(system: System, days: int = 100) -> None:
    """All that there is was so many days earlier."""
    passed = timedelta(days=days)
    await system.sql.execute("insert into tenants (tenant) values ($1) on conflict do nothing", TENANT)
    for table, columns in {
        "notifications": ("accepted_at", "planned_at"),
        "room_log": ("at",),
        "room_heads": ("at",),
        "state_log": ("at",),
        "receipts": ("updated_at",),
        "scheduled": ("updated_at",),
        "audit_trail": ("at",),
    }.items():
        changes = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
        await system.sql.execute(f"update {table} set {changes}", passed)


async def purge(router: Router, days: int = 90, rows: int = 1_000) -> None:
    await handler(router.pool, days, rows).round()


def handler(pool: asyncpg.Pool, days: int = 90, rows: int = 1_000) -> RetentionHandler:
    holding = Holding(Progress("retention", 60), asyncio.Event())
    return RetentionHandler(PostgresRetention(pool), holding, Keeping(days, days), interval=60, rows=rows)


async def differences(system: System) -> dict[str, int]:
    """What `carillon audit` finds."""
    snapshot = await audit_snapshot.read(system.dsn, system.bootstrap, system.prefix, 20)
    checks = judge(snapshot, system.prefix, 20).checks
    # What is published here did not come through ingest: there is nothing to hand over.
    return {c.name: c.difference for c in checks if c.difference and c.name != "handover"}


async def left(system: System) -> dict[str, int]:
    """How many rows there are of what hangs on notifications."""
    names = "notifications", "room_log", "deliveries", "delivery_attempts", "expansions", "digests", "receipts"
    return {name: await system.sql.fetchval(f"select count(*) from {name}") for name in names}


async def test_the_old_goes_whole_and_the_young_stays(system: System, router: Router) -> None:
    await system.person("ada")
    await system.member("org:o", "ada", "bob")
    both = Recipients(user_ids=("ada",), org_ids=("o",))
    first, second = by_email("ada", recipients=both), by_email("ada")
    await router.handle(await system.publish(first, second))
    await router.expand()
    await system.cancel(second.id)
    await rounds(router)
    await system.sql.execute("update deliveries set state = 'sent', next_attempt_at = null where state = 'planned'")
    await system.sql.execute(
        """insert into receipts (tenant, user_id, notification, room, seq, read)
           values ($1, 'ada', $2, 'user:ada', 1, true)""",
        TENANT,
        first.id,
    )
    await age(system)
    young = by_email("ada", recipients=both)
    await router.handle(await system.publish(young))
    assert await differences(system) == {}
    await purge(router)
    assert await left(system) | {"deliveries": 0} == {
        "notifications": 1, "room_log": 2, "deliveries": 0, "delivery_attempts": 0, "expansions": 1, "digests": 0,
        "receipts": 0,
    }  # fmt: skip
    assert await system.log("user:ada") == await system.log("org:o") == [young.id]
    heads = await system.sql.fetch("select room, floor, seq from room_heads where floor > 0 order by room")
    assert [tuple(row) for row in heads] == [("org:o", 1, 2), ("user:ada", 3, 4)]
    assert await system.sql.fetchval("select sum(events) from purged_events") == 2
    assert await differences(system) == {}
    await system.adds_up()


async def test_nothing_goes_while_its_id_is_known_so_a_repeat_is_a_duplicate(system: System, router: Router) -> None:
    event = by_email("ada")
    records = await system.publish(event)
    await router.handle(records)
    await age(system, days=14)
    async with PostgresRetention(router.pool).turn() as turn:
        assert turn is not None
        assert await turn.notifications(TENANT, utc_now(), 100) == Purged(0, 0, 0)
    await router.handle(await system.publish(event))
    assert await system.counted() == {"accepted": 1, "duplicates": 1, "dead": 0, "gaps": 0}


async def test_what_is_in_a_workers_hands_waits_and_what_was_never_sent_is_told(system: System, router: Router) -> None:
    await system.person("ada")
    held, open_ = by_email("ada"), by_email("bob")
    await system.person("bob")
    await router.handle(await system.publish(held, open_))
    await system.sql.execute(
        """update deliveries set state = 'sending', claim_token = gen_random_uuid(),
           lease_until = now() + interval '1 hour' where notification = $1""",
        held.id,
    )
    await age(system)
    await purge(router)
    assert await system.sql.fetchval("select array_agg(id) from notifications") == [held.id]
    told = await system.sql.fetch("select notification, state, reason from lifecycle_changes where state = 'expired'")
    assert [tuple(row) for row in told] == [(open_.id, "expired", "retention")]
    assert await differences(system) == {}
    await system.sql.execute("update deliveries set lease_until = now()")
    await purge(router)
    assert set((await left(system)).values()) == {0}
    assert await differences(system) == {}


async def test_a_step_is_small_and_leaves_everything_right(system: System, router: Router) -> None:
    people = [f"p{n:02}" for n in range(25)]
    for user in people:
        await system.person(user)
    await system.member("org:o", *people)
    crowd = to(channels=("in-app", "email"), recipients=Recipients(org_ids=("o",)), accepted_at=utc_now())
    await router.handle(await system.publish(crowd, *(to(user) for user in people)))
    await router.expand()
    await age(system)
    steps = []
    async with PostgresRetention(router.pool).turn() as turn:
        assert turn is not None
        while (gone := await turn.notifications(TENANT, utc_now(), 10)) != Purged(0, 0, 0):
            steps.append(gone)
            assert await differences(system) == {}
            await system.adds_up()
    assert len(steps) > 5
    assert max(step.deliveries for step in steps) == 10
    assert max(step.notifications + step.entries for step in steps) <= 20
    assert set((await left(system)).values()) == {0}


async def test_items_of_a_digest_and_the_digest_go(system: System, router: Router) -> None:
    await system.person("ada", preferences='{"channels": {"email": {"frequency": "daily"}}}')
    await router.handle(await system.publish(by_email("ada"), by_email("ada")))
    await age(system)
    await purge(router)
    assert (await left(system))["notifications"] == 2, "it still collects"
    await system.sql.execute("update digests set closes_at = now()")
    await rounds(router)
    await system.sql.execute("update deliveries set state = 'sent', next_attempt_at = null where id = digest")
    await purge(router)
    assert set((await left(system)).values()) == {0}
    assert await differences(system) == {}


async def test_marks_schedules_and_the_audit_trail_go_by_their_own_age(system: System, router: Router) -> None:
    later = to("ada", deliver_at=utc_now() + timedelta(hours=1), accepted_at=utc_now())
    await router.handle(await system.publish(later))
    await system.cancel(later.id)
    await rounds(router)
    await system.sql.execute("insert into user_heads (tenant, user_id, seq) values ($1, 'ada', 3)", TENANT)
    await system.sql.execute(
        """insert into state_log (tenant, user_id, seq, operation, at)
           select $1, 'ada', n, 'read_all', now() from generate_series(1, 3) n""",
        TENANT,
    )
    await system.sql.execute(
        "insert into audit_trail (tenant, actor, action, subject) values ($1, 'a', 'b', 'c')", TENANT
    )
    await age(system)
    await system.sql.execute("update state_log set at = now() where seq = 3")
    await purge(router)
    assert [row[0] for row in await system.sql.fetch("select seq from state_log")] == [3]
    assert await system.sql.fetchval("select floor from user_heads") == 2
    for table in "scheduled", "audit_trail":
        assert await system.sql.fetchval(f"select count(*) from {table}") == 0, table
    assert await differences(system) == {}


@pytest.mark.parametrize(
    ("own", "platform", "kept"), [("30", 90, 0), ("0", 30, 1), ("60", 30, 1), ('"x"', 30, 0), (None, 0, 1)]
)
async def test_a_tenant_says_for_how_long(system: System, router: Router, own: Any, platform: int, kept: int) -> None:
    await router.handle(await system.publish(by_email("ada")))
    await age(system, days=40)
    if own is not None:
        document = f'{{"retentionDays": {own}}}'
        await system.sql.execute("update tenants set settings = $2 where tenant = $1", TENANT, document)
    await purge(router, days=platform)
    assert (await left(system))["notifications"] == kept


async def test_one_process_at_a_time(system: System, router: Router) -> None:
    other = await create_pool(system.dsn, "carillon_router", max_size=1)
    try:
        retention, second = PostgresRetention(router.pool), PostgresRetention(other)
        async with retention.turn() as mine, second.turn() as theirs:
            assert mine is not None
            assert theirs is None
        async with second.turn() as theirs:
            assert theirs is not None
        with pytest.raises(RuntimeError):
            async with retention.turn():
                raise RuntimeError("the process fails in its turn")
        await system.until(lambda: _has_turn(second))
    finally:
        await other.close()


async def _has_turn(retention: PostgresRetention) -> bool:
    async with retention.turn() as turn:
        return turn is not None


async def test_the_router_may_remove_nothing_but_what_is_old(system: System, router: Router) -> None:
    for table in "notifications", "room_log", "deliveries", "receipts", "audit_trail", "purged_events":
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await router.pool.execute(f"delete from {table}")
    for function in "purge_choose('t', now(), 1)", "purge_entries('t', '{}', now())", "purge_deliveries('t', '{}', 1)":
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await router.pool.execute(f"select {function}")
