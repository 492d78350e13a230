"""When people are told: digests, throttles, schedules, expiry, cancellation and collapse, on real stores."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from libs.runtime.clock import utc_now
from libs.schemas.events import Recipients
from libs.schemas.records import GATEWAY_RECORD, AcceptedEvent, NotificationEmission, Withdrawal
from services.delivery.adapters.ledger import PostgresLedger as DeliveryLedger
from services.delivery.domain.delivery import Delivery
from services.router.domain.handover import Handover
from tests.integration.router.system import TENANT, Router, System, routing
from tests.unit.router.events import accepted

pytestmark = pytest.mark.covers("F2-8", "S11", "S13", "S16", "B1", "B4", "F2-2")


def to(*users: str, **fields: Any) -> AcceptedEvent:
    """A service event for named people by email, with a time that was just now."""
    named: dict[str, Any] = {"channels": ("in-app", "email"), "recipients": Recipients(user_ids=users)}
    fields = {"name": "shop.order.updated", "accepted_at": utc_now()} | named | fields
    return accepted("service.event", **fields)


async def states(system: System) -> dict[tuple[str, str], list[str]]:
    """Of each person and reason the states of their deliveries."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in await system.sql.fetch("select user_id, reason, state from deliveries order by user_id, reason, state"):
        found.setdefault((row[0], row[1]), []).append(row[2])
    return found


async def emailed(system: System, limit: int = 100) -> list[Delivery]:
    """What a worker for emails claims now."""
    pool = await asyncpg.create_pool(system.dsn, min_size=1, max_size=1, server_settings={"role": "carillon_delivery"})
    try:
        return await DeliveryLedger(pool, "email", 30.0, repeatable=True).claim_due(limit)
    finally:
        await pool.close()


async def all_due(system: System) -> None:
    """Time passes for everything that waits."""
    await system.sql.execute("update deliveries set next_attempt_at = now() where next_attempt_at is not null")
    await system.sql.execute("update digests set closes_at = now() where closed_at is null")
    await system.sql.execute("update scheduled set due_at = now() where state = 'waiting'")
    await system.sql.execute("update cancellations set look_at = now()")


async def rounds(router: Router) -> None:
    while await router.due.round():
        pass


DAILY = '{"channels": {"email": {"frequency": "daily"}}}'
ALWAYS_QUIET_TODAY = orjson.dumps({"snoozedUntil": "2099-01-01T00:00:00Z"}).decode()


async def test_a_daily_digest_is_one_email_that_lists_its_items(system: System, router: Router) -> None:
    await system.person("ada", preferences=DAILY)
    events = [to("ada", title=f"T{n}", message=f"m{n}") for n in range(3)]
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
        to("ada", name="task.commented", type="task.commented", data={"task": {"id": 7}}, channels=None)
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


async def test_overlapping_routers_put_every_item_into_exactly_one_digest(system: System) -> None:
    await system.person("ada", preferences=DAILY)
    events = [to("ada", title=f"T{n}", message="m") for n in range(40)]
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
    gone, stays = to("ada", "bob", title="gone", message="m"), to("ada", title="stays", message="m")
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
    event = to("ada", title="t", message="m")
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
    await router.handle(await system.publish(to("ada", "bob", title="t", message="m")))
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
    records = await system.publish(*(to("ada", **fields) for _ in range(30)))
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
        await later.handle(await system.publish(to("ada", **fields)))
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
    event = to(recipients=recipients, title="t", message="m")
    await router.handle(await system.publish(event))
    await router.expand()
    assert await states(system) == {("ada", "digest-daily"): ["digested"], ("bob", "channel-named"): ["planned"]}
    assert await system.sql.fetchval("select items from digests") == 1, "once, although she is in both groups"
    await system.adds_up()


async def test_quiet_hours_defer_and_silence(system: System, router: Router) -> None:
    await system.person("ada", preferences=ALWAYS_QUIET_TODAY)
    await system.person("bob")
    await system.listen(1, "user:ada", "user:bob")
    await router.handle(await system.publish(to("ada", "bob"), to("ada", severity="critical")))
    assert await states(system) == {
        ("ada", "snoozed"): ["deferred"],
        ("ada", "channel-named"): ["planned"],
        ("bob", "channel-named"): ["planned"],
    }
    due = await system.sql.fetchval("select next_attempt_at from deliveries where state = 'deferred'")
    assert due == datetime(2099, 1, 1, tzinfo=UTC)
    quiet, loud = await system.emissions()
    assert (quiet.silent, loud.silent) == (("user:ada",), ())
    assert len(await system.due()) == 2


@pytest.mark.parametrize(("chosen", "sent"), [("ONLINE", False), ("AWAY", True), (None, True)])
async def test_who_is_on_a_socket_is_not_emailed_what_is_for_the_absent(
    system: System, router: Router, chosen: str | None, sent: bool
) -> None:
    await system.person("ada", preferences='{"channels": {"email": {"policy": "when_offline"}}}')
    await router.handle(await system.publish(to("ada")))
    assert await states(system) == {("ada", "when-offline"): ["deferred"]}
    assert await emailed(system) == [], "who was on a socket a moment ago may come back"
    if chosen is not None:
        await system.sql.execute(
            "insert into presence (tenant, user_id, online, chosen) values ($1, 'ada', true, $2)", TENANT, chosen
        )
    await system.sql.execute("insert into tenants (tenant) values ($1) on conflict do nothing", TENANT)
    await all_due(system)
    assert len(await emailed(system)) == sent
    assert await states(system) == {
        ("ada", "claimed" if sent else "recipient-online"): ["claimed" if sent else "suppressed"]
    }


async def test_the_urgent_is_sent_first(system: System, router: Router) -> None:
    await system.person("ada")
    events = [to("ada", priority="LOW"), to("ada"), to("ada", severity="critical"), to("ada", priority="HIGH")]
    await router.handle(await system.publish(*events))
    await all_due(system)
    claimed = [(await emailed(system, 1))[0].content.notification for _ in events]
    assert claimed == [events[n].id for n in (2, 3, 1, 0)]


async def test_what_is_over_is_neither_shown_nor_sent(system: System, router: Router) -> None:
    await system.person("ada")
    await system.listen(1, "user:ada")
    over, alive = (
        to("ada", expires_at=utc_now() - timedelta(seconds=1)),
        to("ada", expires_at=utc_now() + timedelta(days=1)),
    )
    await router.handle(await system.publish(over, alive))
    assert await states(system) == {("ada", "expired"): ["suppressed"], ("ada", "channel-named"): ["planned"]}
    assert await system.log("user:ada") == [alive.id]
    (emission,) = await system.emissions()
    assert emission.expires_at is not None
    assert abs(emission.expires_at - (alive.expires_at or utc_now())) < timedelta(milliseconds=1)
    expiries = await system.sql.fetch(
        "select expires_at from room_log union all select expires_at from deliveries where state = 'planned'"
    )
    assert {row[0] for row in expiries} == {alive.expires_at}
    await system.adds_up()


# Schedules ------------------------------------------------------------------------------------------------------------


async def test_an_event_waits_for_its_time_and_is_told_once(system: System, router: Router) -> None:
    await system.person("ada")
    event = to("ada", deliver_at=utc_now() + timedelta(hours=1))
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
    event = to("ada", deliver_at=utc_now() + timedelta(hours=1))
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
    later = [to("ada", deliver_at=utc_now() + timedelta(hours=1)) for _ in range(20)]
    async with routing(system) as one, routing(system) as other:
        events = [to(*people, title="t", message="m") for _ in range(3)]
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


async def test_an_event_whose_time_was_already_is_told_now(system: System, router: Router) -> None:
    event = to("ada", deliver_at=utc_now() - timedelta(hours=1))
    await router.handle(await system.publish(event))
    assert await system.log("user:ada") == [event.id]


async def test_a_local_time_is_that_of_each_persons_clock(system: System, router: Router) -> None:
    for user, zone in (("ada", "Europe/Berlin"), ("bob", "America/New_York"), ("eve", "Europe/Paris"), ("joe", None)):
        await system.person(user)
        await system.sql.execute("update users set timezone = $2 where user_id = $1", user, zone)
    recipients = Recipients(user_ids=("ada", "bob", "eve", "joe"), org_ids=("o",))
    event = to(recipients=recipients, deliver_at=datetime.fromisoformat("2090-01-10T09:00:00"))
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
    crowd = [to("ada", deliver_at=at, accepted_at=utc_now()) for _ in range(120)]
    one = to("ada", deliver_at=at).model_copy(update={"tenant": "zebra"})
    await router.handle(await system.publish(*crowd, one))
    await all_due(system)
    await router.due.round()
    handed_on = await system.sql.fetch(
        "select tenant, count(*) from scheduled where state = 'handed-on' group by 1 order by 1"
    )
    assert [tuple(row) for row in handed_on] == [(TENANT, 50), ("zebra", 1)]


# Cancellation and collapse --------------------------------------------------------------------------------------------


async def gateway_records(system: System) -> list[NotificationEmission | Withdrawal]:
    found = [GATEWAY_RECORD.validate_json(value) for value in await system.read("gateway.inbox")]
    return [one for one in found if isinstance(one, NotificationEmission | Withdrawal)]


async def test_a_cancelled_notification_is_withdrawn_from_every_room(system: System, router: Router) -> None:
    await system.person("ada")
    await system.listen(1, "user:ada")
    event = to("ada", recipients=Recipients(user_ids=("ada",), org_ids=("o",)))
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
    event, later = to("ada"), to("ada", deliver_at=utc_now() + timedelta(hours=1))
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
    event = to("ada", "bob", deliver_at=datetime.fromisoformat("2090-01-10T09:00:00"))
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
    first, second, third = (to("ada", collapse_key="order-7", title=f"T{n}", message="m") for n in range(3))
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
    both, one = to("ada", "bob", collapse_key="k"), to("ada", collapse_key="k")
    other_key = to("ada", collapse_key="l")
    await router.handle(await system.publish(both, one, other_key))
    assert await system.sql.fetchval("select count(*) from room_log where kind = 1") == 0
    again = to("ada", "bob", collapse_key="k")
    await router.handle(await system.publish(again))
    replaced = await system.sql.fetch("select notification, room from room_log where kind = 1")
    assert {tuple(row) for row in replaced} == {(both.id, "user:ada"), (both.id, "user:bob"), (one.id, "user:ada")}
    await system.adds_up()
