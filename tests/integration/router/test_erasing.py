"""What was said to a person alone is erased where it stands: on real stores."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from libs.runtime.clock import utc_now
from libs.runtime.health import Progress
from libs.schemas.events import Recipients
from libs.schemas.records import GATEWAY_RECORD, Withdrawal
from services.router.adapters import erasing
from services.router.adapters.erasing import PostgresErasing
from services.router.handlers.erasing import ErasingHandler
from services.router.handlers.holding import Holding
from tests.integration.router.composed import Router
from tests.integration.router.events import by_email, to
from tests.integration.router.system import TENANT, System

pytestmark = pytest.mark.covers("B11", "F2-8")

SECRET = "the diagnosis"


def said(*users: str, **fields: object) -> dict[str, object]:
    return {"title": SECRET, "message": SECRET, "data": {"text": SECRET}, **fields}


async def ask(system: System, user: str = "ada") -> None:
    await system.sql.execute("delete from users where user_id = $1", user)
    await system.sql.execute(
        "insert into erasures (tenant, user_id, requested_by) values ($1, $2, 'key:test')", TENANT, user
    )


async def carry_out(system: System, router: Router) -> None:
    """Pages until nothing is due."""
    holding = Holding(Progress("erasures", 60), asyncio.Event())
    ledger = router.batch._ledger
    handler = ErasingHandler(PostgresErasing(router.pool), ledger, router.outbox, holding, interval=0.1)
    while await handler.round():
        await system.adds_up()


async def content(system: System) -> set[str]:
    """Every word that the database has, by table and row."""
    tables = "notifications", "scheduled", "delivery_attempts", "responses"
    rows = [row[0] for table in tables for row in await system.sql.fetch(f"select t::text from {table} t")]
    records = await system.sql.fetch("select convert_from(record, 'UTF8') from scheduled where record is not null")
    return {text for text in (*rows, *(row[0] for row in records)) if SECRET in text}


async def test_what_was_for_them_alone_is_blanked_and_withdrawn(
    system: System, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "_PAGE", 2)
    monkeypatch.setattr(erasing, "_DELIVERIES", 2)
    await system.person("ada")
    await system.listen(1, "user:ada")
    events = [by_email("ada", **said()) for _ in range(3)]
    mailed = to("ada", channels=("email",), accepted_at=utc_now(), **said())
    later = by_email("ada", deliver_at=utc_now() + timedelta(days=1), **said())
    records = await system.publish(*events, mailed, later)
    await router.handle(records)
    await system.sql.execute(
        """insert into delivery_attempts (tenant, delivery, attempt, outcome, detail, provider, started_at, duration_ms)
           select tenant, id, 1, 'retry', $1, 'smtp', now(), 1 from deliveries""",
        SECRET,
    )
    assert len(await content(system)) >= 9
    await ask(system)
    await carry_out(system, router)
    assert await content(system) == set()
    kinds = await system.sql.fetch("select kind, notification from room_log where room = 'user:ada' order by seq")
    assert [row["kind"] for row in kinds] == [0, 0, 0, 1, 1, 1]
    assert {row["notification"] for row in kinds} == {event.id for event in events}
    told = [GATEWAY_RECORD.validate_json(value) for value in await system.read("gateway.inbox")]
    assert {one.notification_id for one in told if isinstance(one, Withdrawal)} == {event.id for event in events}
    states = await system.sql.fetch("select distinct state, reason from deliveries")
    assert [tuple(row) for row in states] == [("cancelled", "erased")]
    row = await system.sql.fetchrow(
        "select notifications, erased_at, done_at, look_at - requested_at as rest from erasures"
    )
    assert row is not None
    assert (row["notifications"], row["done_at"], row["rest"]) == (4, None, timedelta(days=15))
    assert row["erased_at"] is not None
    await router.handle(await system.publish(*events, mailed, later))
    assert (await system.counted())["duplicates"] == 5
    assert await content(system) == set()


async def test_who_catches_up_is_shown_nothing_of_it(system: System, router: Router) -> None:
    await router.handle(await system.publish(by_email("ada", **said())))
    await ask(system)
    await carry_out(system, router)
    rows = await system.sql.fetch(
        """select seq, id, withdrawn
           from feed_entries(array[$1], array['user:ada'], array[0::bigint], array[9::bigint], 9)""",
        TENANT,
    )
    assert [(row["seq"], row["id"], row["withdrawn"] is not None) for row in rows] == [
        (1, None, False),
        (2, None, True),
    ]


async def test_what_was_for_others_too_and_what_is_said_afterwards_stays(system: System, router: Router) -> None:
    await system.person("bob")
    both = by_email("ada", "bob", **said())
    group = by_email("ada", recipients=Recipients(user_ids=("ada",), org_ids=("o",)), **said())
    await router.handle(await system.publish(both, group))
    await ask(system)
    await system.person("ada")
    again = by_email("ada", **said())
    await router.handle(await system.publish(again))
    await carry_out(system, router)
    kept = await system.sql.fetch("select id from notifications where title = $1", SECRET)
    assert {row["id"] for row in kept} == {both.id, group.id, again.id}
    await system.adds_up()


async def test_what_was_on_its_way_is_erased_when_no_topic_has_it_any_more(system: System, router: Router) -> None:
    on_its_way = by_email("ada", **said())
    await ask(system)
    await carry_out(system, router)
    await router.handle(await system.publish(on_its_way))
    await carry_out(system, router)
    assert await content(system)
    await system.sql.execute(
        "update erasures set requested_at = requested_at - interval '15 days', look_at = look_at - interval '15 days'"
    )
    await system.sql.execute("update notifications set accepted_at = accepted_at - interval '16 days'")
    await carry_out(system, router)
    assert await content(system) == set()
    assert await system.sql.fetchval("select done_at is not null from erasures")
    await carry_out(system, router)
    assert await system.sql.fetchval("select notifications from erasures") == 1


async def test_a_scheduled_record_that_the_database_cannot_read_stops_nobodys_erasure(
    system: System, router: Router
) -> None:
    waits = by_email("ada", deliver_at=utc_now() + timedelta(days=1), **said())
    await router.handle(await system.publish(waits))
    await system.sql.execute(
        """insert into scheduled (tenant, id, event_id, event, source_topic, due_at, record)
           select $1, g, g, 'service.event', 'http', now() + interval '1 day', $2 from gen_random_uuid() g""",
        TENANT,
        rb'{"recipients": {"userIds": ["a\u0000"]}}',
    )
    await ask(system)
    await carry_out(system, router)
    assert await system.sql.fetchval("select erased_at is not null from erasures")
    states = await system.sql.fetch("select state, id = $1 as theirs from scheduled order by state", waits.id)
    assert [tuple(row) for row in states] == [("cancelled", True), ("waiting", False)]


async def test_the_router_may_blank_by_the_functions_alone(router: Router) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await router.pool.execute("update notifications set title = null")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await router.pool.execute("update delivery_attempts set detail = null")
