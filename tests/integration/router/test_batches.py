"""Batches on a real broker and a real database: everything is written and handed on once, and in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest
from aiokafka.errors import KafkaError

from libs.schemas.events import Recipients
from tests.integration.router.composed import Router, routing
from tests.integration.router.events import alert, to
from tests.integration.router.system import System
from tests.unit.router.events import TRACEPARENT, accepted

pytestmark = pytest.mark.covers("S12", "B1", "B9")


async def test_what_is_stored_and_what_gateways_are_sent(system: System, router: Router) -> None:
    await system.listen(3, "user:ada", "org:o")
    await system.listen(5, "org:o")
    event = accepted(
        name="iam.user.created",
        data={"email": "new@x", "count": 2},
        recipients=Recipients(user_ids=("ada",), org_ids=("o",)),
        priority="HIGH",
        actor={"id": "hr"},
        action_url="/users/new",
    )
    await router.handle(await system.publish(event))
    row = await system.sql.fetchrow("select * from notifications")
    assert row is not None
    assert (row["title"], row["message"]) == ("New User Added", "User new@x has been added to your organization")
    assert (row["rooms"], row["priority"], row["traceparent"]) == (["user:ada", "org:o"], "HIGH", TRACEPARENT)
    assert orjson.loads(row["data"]) == event.data
    assert orjson.loads(row["extras"])["actionUrl"] == "/users/new"
    emissions = await system.emissions()
    assert len(emissions) == 2
    assert emissions[0] == emissions[1]
    assert [place.room for place in emissions[0].rooms] == ["user:ada", "org:o"]
    assert emissions[0].created_at == event.accepted_at
    prior = await system.sql.fetch("select room, prior from room_log order by room")
    assert [tuple(row) for row in prior] == [("org:o", ["user:ada"]), ("user:ada", None)]


async def test_only_leases_in_force_are_sent_to(system: System, router: Router) -> None:
    await system.listen(1, "user:ada", epoch=2)
    await system.listen(2, "user:ada", lease=-1)
    await system.listen(99, "user:ada")
    await router.handle(await system.publish(to("ada")))
    assert await system.emissions() == []


async def test_duplicates_within_a_batch_and_across_partitions(system: System, router: Router) -> None:
    event, other = to("ada"), to("ada")
    first = await system.publish(event, event, other, event)
    again = await system.publish(event, partition=1)
    await router.handle(first, again)
    await router.handle(await system.publish(event, other))
    assert await system.log("user:ada") == [event.id, other.id]
    assert await system.counted() == {"accepted": 2, "duplicates": 5, "dead": 0, "gaps": 0}
    await system.adds_up()


async def test_a_batch_that_comes_again_changes_nothing_and_is_handed_on_again(system: System, router: Router) -> None:
    """As after a crash between the transaction and the acknowledgement."""
    await system.person("ada")
    await system.listen(0, "user:ada")
    batch = await system.publish(alert(recipients=Recipients(user_ids=("ada",))), to("ada"))
    await router.handle(batch)
    async with routing(system) as restarted:
        await restarted.handle(batch)
    emissions = await system.emissions()
    assert sorted(emission.rooms[0].seq for emission in emissions) == [1, 1, 2, 2]
    assert all(emissions.count(emission) == 2 for emission in emissions), "what was stored is sent again, unchanged"
    assert len(await system.due()) == 2
    assert await system.counted() == {"accepted": 2, "duplicates": 0, "dead": 0, "gaps": 0}
    await system.adds_up()


async def test_numbers_follow_arrival(system: System, router: Router) -> None:
    events = [to("ada", "bob") for _ in range(100)]
    await router.handle(await system.publish(*events))
    assert await system.log("user:ada") == await system.log("user:bob") == [event.id for event in events]
    times = [
        row["at"] for row in await system.sql.fetch("select at from room_log where room = 'user:ada' order by seq")
    ]
    assert times == sorted(times)


async def test_two_routers_with_the_same_events(system: System, router: Router) -> None:
    """As when a router that was frozen wakes up while another has its partitions: one of them appends."""
    async with routing(system) as other:
        for _ in range(10):
            events = [to("ada", f"u{n % 7}") for n in range(60)]
            batch = await system.publish(*events)
            backwards = sorted(batch, key=lambda record: -record.offset % 7)
            await asyncio.gather(router.handle(batch), other.handle(sorted(backwards, key=lambda r: r.offset)))
            assert (await system.log("user:ada"))[-60:] == [event.id for event in events]
    assert (await system.counted())["accepted"] == 600
    await system.adds_up()


async def test_two_routers_on_shared_rooms(system: System, router: Router) -> None:
    """Different events in the same rooms and the same event on two partitions: no deadlock, no gap."""
    async with routing(system) as other:
        for _ in range(10):
            shared = [to("ada", "bob") for _ in range(20)]
            mine = await system.publish(*shared, *[to("bob", "ada") for _ in range(20)])
            theirs = await system.publish(*reversed(shared), *[to("ada") for _ in range(20)], partition=1)
            await asyncio.gather(router.handle(mine), other.handle(theirs))
    assert await system.counted() == {"accepted": 600, "duplicates": 200, "dead": 0, "gaps": 0}
    await system.adds_up()


async def test_a_connection_lost_in_the_transaction_is_no_loss(system: System, router: Router) -> None:
    """The server ends every connection of the router while it works: the batch is held and written again."""
    event = to("ada")
    batch = await system.publish(event)
    await system.sql.execute("begin")
    await system.sql.execute("lock table room_heads in exclusive mode")
    working = asyncio.create_task(router.handle(batch))
    waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    await system.rows(1, waiting)
    await system.sql.execute(f"select pg_terminate_backend(pid) from ({waiting}) waiting")
    await system.sql.execute("commit")
    await asyncio.wait_for(working, 20)
    assert await system.log("user:ada") == [event.id]
    await system.adds_up()


async def test_grace_is_what_delivery_waits_before_it_looks_itself(system: System, router: Router) -> None:
    await system.person("ada")
    await router.handle(await system.publish(alert(id=uuid4(), recipients=Recipients(user_ids=("ada",)))))
    wait = await system.sql.fetchval("select next_attempt_at - created_at from deliveries")
    assert timedelta(seconds=29) < wait < timedelta(seconds=31)


async def test_a_producer_that_has_failed_for_good_is_replaced(system: System, router: Router) -> None:
    """An idempotent producer whose sender has died refuses every record from then on."""
    await system.listen(0, "user:ada")
    await router.handle(await system.publish(to("ada")))
    producer = await router.outbox._producer.started()  # made by the first hand-on
    producer._sender.sender_task.cancel()
    producer._message_accumulator.fail_all(KafkaError("for good"))
    await router.handle(await system.publish(to("ada")))
    assert len(await system.emissions()) == 2
