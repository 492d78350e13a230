"""Cancellation and collapse: what is not to be shown any more, on real stores."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
import pytest

from libs.runtime.clock import utc_now
from libs.schemas.events import Recipients
from libs.schemas.records import GATEWAY_RECORD, NotificationEmission, Withdrawal
from tests.integration.router.composed import Router
from tests.integration.router.events import by_email
from tests.integration.router.system import System
from tests.integration.router.waiting import all_due, rounds, states

pytestmark = pytest.mark.covers("F2-8", "B1")

DAILY = '{"channels": {"email": {"frequency": "daily"}}}'
ALWAYS_QUIET_TODAY = orjson.dumps({"snoozedUntil": "2099-01-01T00:00:00Z"}).decode()


async def gateway_records(system: System) -> list[NotificationEmission | Withdrawal]:
    found = [GATEWAY_RECORD.validate_json(value) for value in await system.read("gateway.inbox")]
    return [one for one in found if isinstance(one, NotificationEmission | Withdrawal)]


async def test_a_cancelled_notification_is_withdrawn_from_every_room(system: System, router: Router) -> None:
    await system.person("ada")
    await system.listen(1, "user:ada")
    event = by_email("ada", recipients=Recipients(user_ids=("ada",), org_ids=("o",)))
    records = await system.publish(event)
    await router.handle(records)
    await system.cancel(event.id)
    await rounds(router)
    controls = await system.sql.fetch("select room, seq, type from room_log where kind = 1 order by room")
    assert [tuple(row) for row in controls] == [("org:o", 2, "cancelled"), ("user:ada", 2, "cancelled")]
    shown, withdrawn = await gateway_records(system)
    assert isinstance(shown, NotificationEmission)
    assert isinstance(withdrawn, Withdrawal)
    assert (withdrawn.notification_id, withdrawn.reason) == (event.id, "cancelled")
    assert [place.room for place in withdrawn.rooms] == ["user:ada", "org:o"]
    assert (await states(system)) == {("ada", "cancelled"): ["cancelled"]}
    await router.handle(records)
    assert len(await gateway_records(system)) == 2, "a batch that comes again does not show it again"
    await system.cancel(event.id)
    await rounds(router)
    assert await system.sql.fetchval("select count(*) from room_log") == 4
    await system.adds_up()


async def test_a_request_that_is_faster_than_its_event_takes_effect_when_it_comes(
    system: System, router: Router
) -> None:
    await system.person("ada")
    await system.listen(1, "user:ada")
    event, later = by_email("ada"), by_email("ada", deliver_at=utc_now() + timedelta(hours=1))
    await system.cancel(event.id)
    await system.cancel(later.id)
    await rounds(router)
    await router.handle(await system.publish(event, later))
    assert await system.log("user:ada") == []
    assert await states(system) == {}
    assert await system.emissions() == []
    assert await system.sql.fetchval("select state from scheduled") == "cancelled"
    await all_due(system)
    await rounds(router)
    assert await system.sql.fetchval("select count(*) from cancellations where done_at is null") == 0
    assert await system.counted() == {"accepted": 2, "duplicates": 0, "dead": 0, "gaps": 0}
    await system.adds_up()


async def test_a_part_that_is_on_its_way_is_cancelled_when_it_comes(system: System, router: Router) -> None:
    for user, zone in (("ada", "Europe/Berlin"), ("bob", "America/New_York")):
        await system.person(user)
        await system.sql.execute("update users set timezone = $2 where user_id = $1", user, zone)
    event = by_email("ada", "bob", deliver_at=datetime.fromisoformat("2090-01-10T09:00:00"))
    await router.handle(await system.publish(event))
    await all_due(system)
    await rounds(router)
    await system.cancel(event.id)
    await rounds(router)
    await router.handle(await system.reread(event.event, 1))
    assert await system.log("user:ada") == await system.log("user:bob") == []
    assert await system.sql.fetchval("select count(*) from notifications where cancelled_at is not null") == 2


async def test_the_newer_of_a_collapse_key_replaces_the_older(system: System, router: Router) -> None:
    await system.person("ada")
    await system.listen(1, "user:ada")
    first, second, third = (by_email("ada", collapse_key="order-7", title=f"T{n}", message="m") for n in range(3))
    await router.handle(await system.publish(first))
    await router.handle(await system.publish(second, third))
    log = await system.sql.fetch("select notification, kind, type from room_log where room = 'user:ada' order by seq")
    assert [(row["notification"], row["kind"]) for row in log] == [
        (first.id, 0),
        (first.id, 1),
        (second.id, 0),
        (second.id, 1),
        (third.id, 0),
    ]
    rows = await system.sql.fetch("select notification, state, reason from deliveries")
    assert {row[0]: (row[1], row[2]) for row in rows} == {
        first.id: ("cancelled", "replaced"),
        second.id: ("cancelled", "replaced"),
        third.id: ("planned", "channel-named"),
    }
    seqs = sorted(place.seq for record in await gateway_records(system) for place in record.rooms)
    assert seqs == [1, 2, 3, 4, 5]
    assert {record.collapse_key for record in await system.shown()} == {"order-7"}
    await system.adds_up()


async def test_who_is_not_shown_the_newer_keeps_the_older(system: System, router: Router) -> None:
    for user in ("ada", "bob"):
        await system.person(user)
    await system.listen(1, "user:ada")
    both, one = by_email("ada", "bob", collapse_key="k"), by_email("ada", collapse_key="k")
    records = await system.publish(both, one, by_email("ada", collapse_key="l"))
    await router.handle(records)
    replaced = "select notification, room from room_log where kind = 1 order by room, seq"
    assert [tuple(row) for row in await system.sql.fetch(replaced)] == [(both.id, "user:ada")]
    sent = "select user_id, state from deliveries where notification = $1 order by user_id"
    assert [tuple(row) for row in await system.sql.fetch(sent, both.id)] == [("ada", "cancelled"), ("bob", "planned")]
    withdrawn = [one for one in await gateway_records(system) if isinstance(one, Withdrawal)]
    assert [place.room for one in withdrawn for place in one.rooms] == ["user:ada"]
    await router.handle(records)
    again = by_email("ada", "bob", collapse_key="k")
    await router.handle(await system.publish(again))
    assert [tuple(row) for row in await system.sql.fetch(replaced)] == [
        (both.id, "user:ada"),
        (one.id, "user:ada"),
        (both.id, "user:bob"),
    ]
    assert await states(system) == {
        ("ada", "replaced"): ["cancelled", "cancelled"],
        ("bob", "replaced"): ["cancelled"],
        ("ada", "channel-named"): ["planned", "planned"],
        ("bob", "channel-named"): ["planned"],
    }
    await system.adds_up()


async def test_of_a_group_that_has_the_newer_nobody_is_sent_the_older(system: System, router: Router) -> None:
    for user in ("ada", "bob", "eve"):
        await system.person(user)
    for user in ("ada", "bob"):
        await system.member("org:o", user)
    older = by_email("eve", collapse_key="k", recipients=Recipients(user_ids=("eve",), org_ids=("o",)))
    newer = by_email("x", collapse_key="k", recipients=Recipients(org_ids=("o",)))
    await router.handle(await system.publish(older))
    await router.expand()
    await router.handle(await system.publish(newer))
    sent = "select user_id, state from deliveries where notification = $1 order by user_id"
    assert [tuple(row) for row in await system.sql.fetch(sent, older.id)] == [
        ("ada", "cancelled"),
        ("bob", "cancelled"),
        ("eve", "planned"),
    ]
    assert await system.sql.fetchval("select room from room_log where kind = 1") == "org:o"
    await system.adds_up()
