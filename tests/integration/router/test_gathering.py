"""Digests and throttles on real stores: exact over repeats, overlapping routers, and cancellation."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from libs.runtime.clock import utc_now
from libs.schemas.events import Recipients
from tests.integration.router.composed import Router, routing
from tests.integration.router.events import by_email
from tests.integration.router.system import System
from tests.integration.router.waiting import all_due, emailed, rounds, states

pytestmark = pytest.mark.covers("F2-8", "F3-4", "B1", "B4")

DAILY = '{"channels": {"email": {"frequency": "daily"}}}'
ALWAYS_QUIET_TODAY = orjson.dumps({"snoozedUntil": "2099-01-01T00:00:00Z"}).decode()


async def test_a_daily_digest_is_one_email_that_lists_its_items(system: System, router: Router) -> None:
    await system.person("ada", preferences=DAILY)
    events = [by_email("ada", title=f"T{n}", message=f"m{n}") for n in range(3)]
    records = await system.publish(*events)
    await router.handle(records[:2])
    await router.handle(records)  # the same again, with one more
    assert await states(system) == {("ada", "digest-daily"): ["digested"] * 3}
    assert await system.due() == []
    digest = await system.sql.fetchrow("select * from digests")
    assert digest is not None
    assert (digest["items"], digest["closed_at"]) == (3, None)
    await all_due(system)
    await rounds(router)
    assert await system.due() == [digest["id"]]
    assert len(await system.log("user:ada")) == 3, "in-app each is shown by itself"
    await all_due(system)
    (claimed,) = await emailed(system)
    assert (claimed.content.type, claimed.content.title) == ("digest", "3 notifications")
    assert claimed.content.message == "- T0: m0\n- T1: m1\n- T2: m2"
    await system.adds_up()


async def test_a_full_digest_is_due_at_once_and_the_rest_goes_into_the_next(system: System, router: Router) -> None:
    await system.person("ada")
    # task.commented collects at most 20 by task.
    events = [
        by_email("ada", name="task.commented", type="task.commented", data={"task": {"id": 7}}, channels=None)
        for _ in range(47)
    ]
    records = await system.publish(*events)
    await router.handle(records[:30])
    await router.handle(records[30:])
    rows = await system.sql.fetch(
        "select items, closes_at <= now() as due, key from digests order by opened_at, items desc"
    )
    assert [tuple(row)[:2] for row in rows] == [(20, True), (20, True), (7, False)]
    assert {row["key"] for row in rows} == {"task.commented task:7"}
    per_digest = await system.sql.fetch(
        "select count(*) from deliveries where channel = 'email' group by digest order by 1"
    )
    assert [row[0] for row in per_digest] == [7, 20, 20]


async def test_a_digest_names_the_types_of_its_items(system: System, router: Router) -> None:
    """By which delivery finds its words."""
    await system.person("ada", preferences=DAILY)
    await router.handle(await system.publish(*(by_email("ada", title=f"T{n}", message="m") for n in range(2))))
    await all_due(system)
    await rounds(router)
    await all_due(system)
    (claimed,) = await emailed(system)
    items = [(item.title, item.type) for item in claimed.content.items]
    assert items == [("T0", "service.event"), ("T1", "service.event")]
    assert claimed.content.worded_by == "service.event"


async def test_overlapping_routers_put_every_item_into_exactly_one_digest(system: System) -> None:
    await system.person("ada", preferences=DAILY)
    events = [by_email("ada", title=f"T{n}", message="m") for n in range(40)]
    records = await system.publish(*events)
    async with routing(system) as one, routing(system) as other:
        for n in range(0, 40, 8):
            await asyncio.gather(one.handle(records[n : n + 8]), other.handle(records[n : n + 8]))
    assert await system.sql.fetchval("select items from digests") == 40
    assert await system.sql.fetchval("select count(*) from deliveries where digest = (select id from digests)") == 40
    await system.adds_up()


async def test_what_is_cancelled_leaves_its_digest_and_an_empty_one_is_not_sent(system: System, router: Router) -> None:
    await system.person("ada", preferences=DAILY)
    await system.person("bob", preferences=DAILY)
    gone, stays = by_email("ada", "bob", title="gone", message="m"), by_email("ada", title="stays", message="m")
    await router.handle(await system.publish(gone, stays))
    await system.cancel(gone.id)
    await rounds(router)
    await all_due(system)
    await rounds(router)
    outcomes = await system.sql.fetch("select user_id, outcome from digests order by user_id")
    assert [tuple(row) for row in outcomes] == [("ada", "planned"), ("bob", "empty")]
    await all_due(system)
    (claimed,) = await emailed(system)
    assert (claimed.content.title, claimed.content.message) == ("stays", "m")
    await system.adds_up()


async def test_a_digest_whose_last_item_is_cancelled_after_it_closed_is_not_sent(
    system: System, router: Router
) -> None:
    await system.person("ada", preferences=DAILY)
    event = by_email("ada", title="t", message="m")
    await router.handle(await system.publish(event))
    await all_due(system)
    await rounds(router)
    await system.cancel(event.id)
    await rounds(router)
    await all_due(system)
    assert await emailed(system) == []
    assert (await states(system))["ada", "digest-empty"] == ["cancelled"]
    await system.adds_up()


async def test_a_digest_waits_for_quiet_hours_and_is_withheld_from_who_left(system: System, router: Router) -> None:
    await system.person("ada", preferences=DAILY)
    await system.person("bob", preferences=DAILY)
    await router.handle(await system.publish(by_email("ada", "bob", title="t", message="m")))
    tomorrow = utc_now() + timedelta(hours=20)
    await system.prefer("ada", orjson.loads(DAILY) | {"snoozedUntil": tomorrow.isoformat()})
    await system.prefer("bob", {"unsubscribed": {"email": ["*"]}})
    await all_due(system)
    await rounds(router)
    rows = await system.sql.fetch("select user_id, closes_at, outcome from digests order by user_id")
    assert [(row["user_id"], row["outcome"]) for row in rows] == [("ada", None), ("bob", "suppressed")]
    assert rows[0]["closes_at"] == tomorrow
    assert (await states(system))["bob", "unsubscribed"] == ["suppressed"]
    await system.adds_up()


async def test_a_throttle_lets_exactly_its_limit_pass(system: System) -> None:
    await system.person("ada")
    await system.device("ada")
    # task.commented is pushed at most 20 times an hour.
    fields: dict[str, Any] = {"name": "task.commented", "type": "task.commented", "channels": ("in-app", "push")}
    records = await system.publish(*(by_email("ada", **fields) for _ in range(30)))
    async with routing(system) as one, routing(system) as other:
        for n in range(0, 30, 6):
            await asyncio.gather(one.handle(records[n : n + 6]), other.handle(records[n : n + 6]))
    assert await states(system) == {
        ("ada", "channel-named"): ["planned"] * 20,
        ("ada", "throttled"): ["suppressed"] * 10,
    }
    assert len(await system.log("user:ada")) == 30
    await system.sql.execute("update throttles set taken = array(select t - interval '1 hour' from unnest(taken) t)")
    async with routing(system) as later:
        await later.handle(await system.publish(by_email("ada", **fields)))
        assert len((await states(system))["ada", "channel-named"]) == 21
        await system.sql.execute("update throttles set idle_after = now()")
        await later.work.tidy()
    assert await system.sql.fetchval("select count(*) from throttles") == 0
    await system.adds_up()


async def test_throttles_and_digests_hold_for_members_of_groups(system: System, router: Router) -> None:
    await system.member("org:o", "ada", "bob")
    await system.member("org:p", "ada", "bob")
    await system.person("ada", preferences=DAILY)
    await system.person("bob")
    recipients = Recipients(org_ids=("o", "p"))
    event = by_email(recipients=recipients, title="t", message="m")
    await router.handle(await system.publish(event))
    await router.expand()
    assert await states(system) == {("ada", "digest-daily"): ["digested"], ("bob", "channel-named"): ["planned"]}
    assert await system.sql.fetchval("select items from digests") == 1, "once, although she is in both groups"
    await system.adds_up()
