"""Events that wait for their time are told once, whatever happens meanwhile, on real stores."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

import orjson
import pytest

from libs.runtime.clock import utc_now
from libs.schemas.events import Recipients
from services.router.domain.handover import Handover
from tests.integration.router.composed import Router, routing
from tests.integration.router.events import by_email
from tests.integration.router.system import TENANT, System
from tests.integration.router.waiting import all_due, rounds

pytestmark = pytest.mark.covers("F2-8", "B1")

DAILY = '{"channels": {"email": {"frequency": "daily"}}}'
ALWAYS_QUIET_TODAY = orjson.dumps({"snoozedUntil": "2099-01-01T00:00:00Z"}).decode()


async def test_an_event_waits_for_its_time_and_is_told_once(system: System, router: Router) -> None:
    await system.person("ada")
    event = by_email("ada", deliver_at=utc_now() + timedelta(hours=1))
    records = await system.publish(event)
    await router.handle(records)
    await router.handle(records)
    assert await system.sql.fetchval("select count(*) from notifications") == 0
    assert await system.counted() == {"accepted": 1, "duplicates": 0, "dead": 0, "gaps": 0}
    assert not await router.due.round()
    await all_due(system)
    await rounds(router)
    told = await system.told(event)
    assert (told.id, told.deliver_at, told.source.topic) == (event.id, None, "scheduled")
    await router.handle(await system.reread(event.event, 1))
    assert await system.log("user:ada") == [event.id]
    await rounds(router)
    assert await system.sql.fetchval("select state from scheduled") == "handed-on"
    await system.adds_up()


async def test_a_crash_after_kafka_has_it_repeats_it_without_effect(system: System, router: Router) -> None:
    event = by_email("ada", deliver_at=utc_now() + timedelta(hours=1))
    await router.handle(await system.publish(event))
    await all_due(system)
    with contextlib.suppress(asyncio.CancelledError):
        async with router.work.scheduled(50, 500, "") as found:
            await router.outbox.hand_on(Handover(publications=[publication for _, publication in found]), {})
            raise asyncio.CancelledError  # the process ends here
    assert await system.sql.fetchval("select state from scheduled") == "waiting"
    await rounds(router)
    await router.handle(await system.reread(event.event, 1))
    assert await system.log("user:ada") == [event.id]
    assert await system.counted() == {"accepted": 2, "duplicates": 1, "dead": 0, "gaps": 0}


async def test_two_routers_share_what_is_due(system: System) -> None:
    for user in ("ada", "bob", "cyd", "dan"):
        await system.person(user, preferences=DAILY)
    people = ("ada", "bob", "cyd", "dan")
    later = [by_email("ada", deliver_at=utc_now() + timedelta(hours=1)) for _ in range(20)]
    async with routing(system) as one, routing(system) as other:
        events = [by_email(*people, title="t", message="m") for _ in range(3)]
        await one.handle(await system.publish(*events, *later))
        await all_due(system)
        for event in events[:1]:
            await system.cancel(event.id)
        await asyncio.gather(*(router.due.round() for router in (one, other, one, other)))
        await rounds(one)
    assert sorted(await system.due()) == sorted(
        row[0] for row in await system.sql.fetch("select id from digests where outcome = 'planned'")
    )
    assert await system.sql.fetchval("select count(*) from deliveries where digest = id") == 4
    assert await system.sql.fetchval("select count(*) from room_log where kind = 1") == 4
    assert len(await system.read("service.event")) == 3 + 20 + 20
    await system.adds_up()


async def test_an_event_whose_time_was_already_is_due_at_once(system: System, router: Router) -> None:
    event = by_email("ada", deliver_at=utc_now() - timedelta(hours=1))
    await router.handle(await system.publish(event))
    assert await system.sql.fetchval("select due_at < now() from scheduled where id = $1", event.id)


async def test_a_local_time_is_that_of_each_persons_clock(system: System, router: Router) -> None:
    for user, zone in (("ada", "Europe/Berlin"), ("bob", "America/New_York"), ("eve", "Europe/Paris"), ("joe", None)):
        await system.person(user)
        await system.sql.execute("update users set timezone = $2 where user_id = $1", user, zone)
    recipients = Recipients(user_ids=("ada", "bob", "eve", "joe"), org_ids=("o",))
    event = by_email(recipients=recipients, deliver_at=datetime.fromisoformat("2090-01-10T09:00:00"))
    await router.handle(await system.publish(event))
    rows = await system.sql.fetch("select id, due_at, record from scheduled order by due_at")
    named = [orjson.loads(row["record"])["recipients"] for row in rows]
    assert [(row["due_at"].hour, to.get("userIds"), to.get("orgIds")) for row, to in zip(rows, named, strict=True)] == [
        (8, ["ada", "eve"], []),
        (9, ["joe"], ["o"]),
        (14, ["bob"], []),
    ]
    assert rows[0]["id"] == event.id
    assert len({row["id"] for row in rows}) == 3
    assert await system.counted() == {"accepted": 1, "duplicates": 0, "dead": 0, "gaps": 0}
    await system.cancel(event.id)
    await rounds(router)
    assert await system.sql.fetchval("select count(*) from scheduled where state = 'cancelled' and record is null") == 3


async def test_tenants_take_turns_when_much_is_due(system: System, router: Router) -> None:
    at = utc_now() + timedelta(hours=1)
    crowd = [by_email("ada", deliver_at=at, accepted_at=utc_now()) for _ in range(120)]
    one = by_email("ada", deliver_at=at).model_copy(update={"tenant": "zebra"})
    await router.handle(await system.publish(*crowd, one))
    await all_due(system)
    await router.due.round()
    handed_on = await system.sql.fetch(
        "select tenant, count(*) from scheduled where state = 'handed-on' group by 1 order by 1"
    )
    assert [tuple(row) for row in handed_on] == [(TENANT, 50), ("zebra", 1)]
