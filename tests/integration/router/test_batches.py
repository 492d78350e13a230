"""Batches on a real broker and a real database: who gets what, once, in order, and every offset is accounted for."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiokafka.errors import KafkaError

from libs.runtime.ids import delivery_id
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent
from tests.integration.router.system import TENANT, Router, System, routing
from tests.unit.router.events import TRACEPARENT, accepted

pytestmark = pytest.mark.covers("F0-4", "S7", "S12", "S14", "S15", "B1", "B9")


def to(*users: str, **fields: Any) -> AcceptedEvent:
    """A service event for named people."""
    return accepted(name="shop.order.updated", recipients=Recipients(user_ids=users), **fields)


def alert(**fields: Any) -> AcceptedEvent:
    return accepted("service.alert", title="Down", message="It is down", **fields)


def written(event: AcceptedEvent) -> bytes:
    return event.model_dump_json(by_alias=True).encode()


async def test_rules_of_the_four_events(system: System, router: Router) -> None:
    await system.member("org:o", "boss", role="owner")
    await system.member("org:o", "clerk")
    announcement = accepted("system.notification", title="t", message="m", metadata={"orgId": "o"})
    everybody = accepted("system.notification", title="t", message="m")
    created = accepted(name="iam.user.created", metadata={"userId": "hr", "orgId": "o"}, data={"_id": "new"})
    org_alert, critical = alert(metadata={"orgId": "o"}), alert(metadata={"orgId": "o"}, severity="critical")
    system_alert = alert(metadata={"orgId": "system-org"})
    thinking = accepted(
        "agent.event", name="thinking", title="t", message="m", metadata={"orgId": "o", "userId": "u", "agentId": "a"}
    )
    events = (announcement, everybody, created, org_alert, critical, system_alert, thinking)
    await router.handle(await system.publish(*events))
    wanted = {
        "org:o": [announcement, created],
        "tenant": [everybody],
        "user:hr": [created],
        "user:new": [created],
        "user:boss": [org_alert, critical],
        "user:clerk": [],
        "role:system-admin": [critical, system_alert],
        "user:u": [thinking],
        "agent:a": [thinking],
    }
    assert {room: await system.log(room) for room in wanted} == {
        room: [event.id for event in events] for room, events in wanted.items()
    }
    assert await system.counted() == {"accepted": 7, "duplicates": 0, "dead": 0, "gaps": 0}
    await system.adds_up()


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


async def test_the_same_id_in_two_tenants_is_two_notifications(system: System, router: Router) -> None:
    event = to("ada")
    other = event.model_copy(update={"tenant": "other"})
    await router.handle(await system.publish(event, other))
    assert await system.sql.fetchval("select count(*) from room_log where notification = $1", event.id) == 2


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


async def test_decisions_and_deliveries(system: System, router: Router) -> None:
    await system.person("ada")
    await system.person("bob", preferences='{"channels": {"email": false}}')
    await system.person("cyd", preferences='{"types": {"service.alert": {"email": false}}}')
    await system.person("dan", email=False)
    event = alert(recipients=Recipients(user_ids=("ada", "bob", "cyd", "dan", "eve")))
    await router.handle(await system.publish(event))
    rows = await system.sql.fetch(
        "select user_id, state, reason, next_attempt_at > now() as later, traceparent from deliveries order by 1"
    )
    assert [tuple(row) for row in rows] == [
        ("ada", "planned", "type-default", True, TRACEPARENT),
        ("bob", "suppressed", "channel-off", None, TRACEPARENT),
        ("cyd", "suppressed", "type-off", None, TRACEPARENT),
        ("dan", "suppressed", "no-address", None, TRACEPARENT),
        ("eve", "suppressed", "unknown-person", None, TRACEPARENT),
    ]
    assert await system.due() == [delivery_id(event.id, "email", "ada")]
    await system.adds_up()


async def test_deliveries_are_handed_on_a_hundred_at_a_time(system: System, router: Router) -> None:
    people = [f"u{n}" for n in range(250)]
    for person in people:
        await system.person(person)
    await router.handle(await system.publish(alert(recipients=Recipients(user_ids=tuple(people)))))
    assert len(await system.read("delivery.email")) == 3
    assert len(set(await system.due())) == 250


async def test_forwarding_to_the_allow_list(system: System, router: Router) -> None:
    event = accepted(name="a.b.c", recipients=Recipients(service="billing", queue="secrets", user_ids=("ada",)))
    (record,) = await system.publish(event)
    await router.handle(record)
    assert await system.read("delivery.dead") == [record.value]
    audience = orjson.loads(await system.sql.fetchval("select audience from notifications"))
    assert audience["notes"] == ["queue-not-allowed:secrets"]
    assert await system.log("user:ada") == [event.id]


async def test_poison_is_set_aside_and_the_rest_goes_on(system: System, router: Router) -> None:
    good = [to("ada") for _ in range(9)]
    nul, surrogate = to("ada", data={"text": "a\x00b"}), to("ada", title="a\x00b")
    broken, large, empty = b"{", b"x" * 300_000, None
    number = written(to("ada")).replace(b'"data":null', b'"data":{"n":1180591620717411303424}')
    deep = written(to("ada")).replace(b'"data":null', b'"data":{"n":' + b"[" * 190 + b"]" * 190 + b"}")
    batch = await system.publish(*good[:3], nul, broken, *good[3:6], large, surrogate, empty, number, *good[6:])
    await router.handle(batch, await system.publish(deep, partition=2))
    assert (await system.log("user:ada"))[:9] == [event.id for event in good]
    letters = {(letter.code, letter.source.offset) for letter in await system.dead()}
    wanted = {("unstorable-value", 3), ("malformed-event", 4), ("event-too-large", 8), ("unstorable-value", 9)}
    assert letters >= wanted | {("malformed-event", 10), ("unstorable-value", 11)}
    assert (await system.counted())["accepted"] + (await system.counted())["dead"] == 16
    await system.adds_up()


async def test_poison_among_duplicates_of_itself(system: System, router: Router) -> None:
    nul, good = to("ada", title="a\x00b"), to("ada")
    await router.handle(await system.publish(nul, nul, good, nul))
    assert await system.log("user:ada") == [good.id]
    assert await system.counted() == {"accepted": 1, "duplicates": 0, "dead": 3, "gaps": 0}
    await system.adds_up()


async def test_an_audience_beyond_the_limit_is_set_aside(system: System) -> None:
    await system.member("org:o", "a", "b", "c", role="admin")
    async with routing(system, audience_limit=2) as router:
        await router.handle(await system.publish(alert(metadata={"orgId": "o"})))
    (letter,) = await system.dead()
    assert letter.code == "audience-too-large"


async def test_a_thousand_people_and_their_organisation(system: System, router: Router) -> None:
    """More rooms before the last one than an index row could hold."""
    users = tuple(f"user-with-a-long-name-{n:04}" for n in range(1_000))
    event = to(*users).model_copy(update={"recipients": Recipients(user_ids=users, org_ids=("o",))})
    await system.listen(0, "org:o")
    await router.handle(await system.publish(event))
    assert await system.sql.fetchval("select count(*) from room_log") == 1_001
    assert await system.sql.fetchval("select prior from room_log where room = 'org:o'") == ["*"]
    assert len((await system.emissions())[0].rooms) == 1_001
    await system.adds_up()


async def test_offsets_that_were_passed_over_are_read_again(system: System, router: Router) -> None:
    events = [to("ada") for _ in range(12)]
    batch = await system.publish(*events)
    await router.handle(batch[:2])
    await router.handle(batch[5:7], batch[10:])
    assert await system.log("user:ada") == [event.id for event in events]
    assert await system.counted() == {"accepted": 12, "duplicates": 0, "dead": 0, "gaps": 0}
    await system.adds_up()


async def test_offsets_that_kafka_has_no_longer_are_gaps(system: System, router: Router) -> None:
    """Retention has taken what was never dealt with: nothing can be done, but it is counted and seen."""
    events = [to("ada") for _ in range(10)]
    batch = await system.publish(*events)
    await router.handle(batch[:2])
    await system.forget(batch[6])
    await router.handle(batch[8:])
    assert await system.log("user:ada") == [event.id for event in (*events[:2], *events[6:])]
    assert await system.counted() == {"accepted": 6, "duplicates": 0, "dead": 0, "gaps": 4}
    await system.adds_up()


async def test_progress_that_vanished_is_begun_again(system: System, router: Router) -> None:
    events = [to("ada") for _ in range(4)]
    batch = await system.publish(*events)
    await router.handle(batch[:2])
    await system.sql.execute("delete from progress")
    await router.handle(batch[2:])
    assert await system.log("user:ada") == [event.id for event in events]
    assert await system.counted() == {"accepted": 2, "duplicates": 2, "dead": 0, "gaps": 0}


async def test_a_database_that_was_set_back_gets_everything_again(system: System, router: Router) -> None:
    """The consumer group stands further than the database: as after a restore from a backup."""
    events = [to("ada") for _ in range(8)]
    batch = await system.publish(*events)
    await router.handle(batch[:6])
    await system.sql.execute("update progress set next_offset = start_offset + 2, accepted = 2")
    await system.sql.execute("delete from room_log where seq > 2")
    await system.sql.execute("update room_heads set seq = 2")
    await system.sql.execute("delete from notifications where id <> all($1)", [event.id for event in events[:2]])
    await router.handle(batch[6:])
    assert await system.log("user:ada") == [event.id for event in events]
    await system.adds_up()


async def test_explicit_people_are_in_their_own_room_whatever_groups_they_are_in(
    system: System, router: Router
) -> None:
    await system.member("org:o", "ada")
    event = to("ada").model_copy(update={"recipients": Recipients(user_ids=("ada",), org_ids=("o",))})
    await router.handle(await system.publish(event))
    assert await system.log("user:ada") == await system.log("org:o") == [event.id]
    assert await system.sql.fetchval("select tenant from notifications") == TENANT


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
