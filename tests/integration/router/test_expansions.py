"""Groups on external channels: their members are decided one by one, in pages, by whoever takes them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent
from tests.integration.router.composed import Router, routing
from tests.integration.router.system import TENANT, System
from tests.unit.router.events import accepted

pytestmark = pytest.mark.covers("F0-4", "S11", "B7", "B10")

OPEN = "select count(*) from expansions where done_at is null"


def announcement(**fields: Any) -> AcceptedEvent:
    """For an organisation, in the inbox and by mail."""
    return accepted(
        "system.notification", title="t", message="m", metadata={"orgId": "o"}, channels=("in-app", "email"), **fields
    )


@asynccontextmanager
async def expanding(*routers: Router) -> Any:
    """The loops of these routers."""
    loops = [asyncio.create_task(router.expansion.run(router.stop)) for router in routers]
    try:
        yield
    finally:
        for router in routers:
            router.stop.set()
        await asyncio.wait_for(asyncio.gather(*loops), 20)


async def done(system: System) -> bool:
    return bool(await system.sql.fetchval(OPEN) == 0)


async def advanced(system: System, planned: int) -> bool:
    return bool(await system.sql.fetchval("select planned > $1 or done_at is not null from expansions", planned))


async def people(system: System, count: int) -> list[str]:
    names = [f"u{n:03}" for n in range(count)]
    for name in names:
        await system.person(name)
    await system.member("org:o", *names)
    return names


async def test_every_member_is_decided_page_by_page(system: System) -> None:
    names = await people(system, 25)
    await system.sql.execute("update users set email = null where user_id = 'u003'")
    await system.sql.execute(
        "insert into preferences (tenant, user_id, version, document, valid_from) "
        "values ($1, 'u004', 1, '{\"channels\": {\"email\": false}}', now() - interval '1 hour')",
        TENANT,
    )
    async with routing(system, page_size=10) as router, expanding(router):
        await router.handle(await system.publish(announcement()))
        await system.until(lambda: done(system))
    rows = await system.sql.fetch("select user_id, state, reason from deliveries order by user_id")
    assert [row["user_id"] for row in rows] == names
    assert {row["user_id"]: row["reason"] for row in rows if row["state"] == "suppressed"} == {
        "u003": "no-address",
        "u004": "channel-off",
    }
    assert await system.sql.fetchval("select planned from expansions") == 25
    assert len(set(await system.due())) == 23
    await system.adds_up()


async def test_members_are_those_of_the_time_of_planning(system: System, router: Router) -> None:
    await people(system, 2)
    await router.handle(await system.publish(announcement()))
    await system.person("late")
    await system.member("org:o", "late")
    await system.sql.execute("select memberships_close(array[$1], array['u000'], array['org:o'])", TENANT)
    async with expanding(router):
        await system.until(lambda: done(system))
    rows = await system.sql.fetch("select user_id from deliveries order by 1")
    assert [row[0] for row in rows] == ["u000", "u001"]


async def test_who_is_addressed_twice_is_decided_once(system: System, router: Router) -> None:
    await people(system, 3)
    await system.member("dept:d", "u001", "u002")
    event = announcement(recipients=Recipients(user_ids=("u001",), org_ids=("o",), departments=("d",)))
    async with expanding(router):
        await router.handle(await system.publish(event))
        await system.until(lambda: done(system))
    assert await system.sql.fetchval("select count(*) from deliveries") == 3
    await system.adds_up()


async def test_an_interrupted_expansion_is_continued_by_another(system: System) -> None:
    """The first router dies in the middle of a page: its transaction is undone, and the pages before it stay."""
    await people(system, 40)
    async with routing(system, page_size=10) as router:
        await router.handle(await system.publish(announcement()))
        assert await router.expansion._page()
        page = router.expansion._expansions.next_page("", 10)
        opened = await page.__aenter__()
        assert opened is not None
        await opened.record(await router.expansion._expanded(opened.members))
        assert await system.sql.fetchval("select planned from expansions") == 10
        async with routing(system, page_size=10) as other:
            assert not await other.expansion._page(), "the page is locked by the first"
            await page.__aexit__(ConnectionError, ConnectionError(), None)
            async with expanding(other):
                await system.until(lambda: done(system))
    assert await system.sql.fetchval("select count(*) from deliveries") == 40
    assert await system.sql.fetchval("select planned from expansions") == 40
    await system.adds_up()


async def test_tenants_take_turns(system: System) -> None:
    """A tenant with many people does not keep the others waiting."""
    await system.sql.execute(
        "insert into memberships (tenant, user_id, room, joined_at, joined_seq, source) "
        "select t, 'u' || n, 'org:o', now() - interval '1 hour', 0, 'directory' "
        "from unnest(array['big', 'small']) t, generate_series(1, case when t = 'big' then 100 else 10 end) n"
    )
    big = [announcement().model_copy(update={"tenant": "big"}) for _ in range(2)]
    small = announcement().model_copy(update={"tenant": "small"})
    async with routing(system, page_size=10) as router:
        await router.handle(await system.publish(*big, small))
        for _ in range(4):
            assert await router.expansion._page()
        assert await system.sql.fetchval("select planned from expansions where tenant = 'small'") == 10
        async with expanding(router):
            await system.until(lambda: done(system))
    await system.adds_up()


async def test_two_routers_share_the_work(system: System) -> None:
    await people(system, 60)
    async with routing(system, page_size=5) as router, routing(system, page_size=5) as other, expanding(router, other):
        await router.handle(await system.publish(*[announcement() for _ in range(4)]))
        await system.until(lambda: done(system))
    assert await system.sql.fetchval("select count(*) from deliveries") == 240
    assert len(set(await system.due())) == 240
    await system.adds_up()


async def test_a_group_that_nobody_is_in_is_done_at_once(system: System, router: Router) -> None:
    async with expanding(router):
        await router.handle(await system.publish(announcement()))
        await system.until(lambda: done(system))
    wait = await system.sql.fetchval("select done_at - created_at from expansions")
    assert wait < timedelta(seconds=20)
    await system.adds_up()


async def test_may_be_interrupted_at_any_point(system: System) -> None:
    """The server ends the routers' connections while they work, again and again: each is decided once."""
    names = await people(system, 120)
    kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'carillon_router' "
    kill += "and datname = current_database()"
    async with routing(system, page_size=3) as router, routing(system, page_size=3) as other:
        await router.handle(await system.publish(announcement()))
        ended = 0
        async with expanding(router, other):
            for attempt in range(25):
                before = await system.sql.fetchval("select planned from expansions")
                ended += await system.sql.fetchval(kill)
                if attempt % 5 == 4:  # some work between the blows, so that they fall at different points of it
                    await system.until(partial(advanced, system, before))
            await system.until(lambda: done(system))
    assert ended >= 10
    rows = await system.sql.fetch("select user_id, count(*) from deliveries group by user_id order by user_id")
    assert [(row[0], row[1]) for row in rows] == [(name, 1) for name in names]
    assert await system.sql.fetchval("select planned from expansions") == len(names)
    await system.adds_up()


async def test_in_app_alone_costs_the_same_for_ten_and_for_a_hundred_thousand(system: System, router: Router) -> None:
    """Counted in rows that are written and in rows that are read of the members: none of them."""
    await system.sql.execute(
        "insert into memberships (tenant, user_id, room, joined_at, joined_seq, source) "
        "select $1, 'u' || n, case when n <= 10 then 'org:small' else 'org:large' end, now(), 0, 'directory' "
        "from generate_series(1, 100010) n",
        TENANT,
    )
    asked: list[str] = []

    async def cost(org: str) -> tuple[list[str], list[int]]:
        """The statements of an announcement, and how many rows of each kind there are after it."""
        del asked[:]
        event = accepted("system.notification", title="t", message="m", metadata={"orgId": org})
        await router.handle(await system.publish(event))
        tables = ("room_log", "deliveries", "expansions", "receipts")
        return sorted(asked), [await system.sql.fetchval(f"select count(*) from {table}") for table in tables]

    await cost("warm")
    pool: Any = router.pool
    for holder in pool._holders:
        if holder._con is not None:
            holder._con.add_query_logger(lambda record: asked.append(record.query))
    small, large = await cost("small"), await cost("large")
    assert small[0] == large[0]
    assert len(small[0]) > 3
    assert not [statement for statement in large[0] if "memberships" in statement]
    assert (small[1], large[1]) == ([2, 0, 0, 0], [3, 0, 0, 0])


async def test_members_are_decided_by_the_catalogue_of_the_time_of_planning(system: System, router: Router) -> None:
    """The type is taken off emails after the notification was planned, and before its members are decided."""
    await people(system, 2)
    before = announcement()
    await router.handle(await system.publish(before))
    await system.say("system.notification", {"allowedChannels": ["in-app"], "channels": ["in-app"]})
    await router.catalogues.refresh()
    after = announcement()
    await router.handle(await system.publish(after))
    await router.expand()
    rows = await system.sql.fetch("select notification, user_id, state from deliveries order by user_id")
    assert [tuple(row) for row in rows] == [(before.id, "u000", "planned"), (before.id, "u001", "planned")]
    note = await system.sql.fetchval("select audience -> 'notes' ->> 0 from notifications where id = $1", after.id)
    assert note == "channel-not-allowed:email"
    await system.adds_up()
