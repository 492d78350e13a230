"""When people are told and when not: quiet hours, urgency, expiry and who is on a socket, on real stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from libs.runtime.clock import utc_now
from tests.integration.router.composed import Router
from tests.integration.router.events import by_email
from tests.integration.router.system import TENANT, System
from tests.integration.router.waiting import all_due, emailed, states

pytestmark = pytest.mark.covers("F2-2", "F2-8", "S11", "S13", "S16", "B4")

DAILY = '{"channels": {"email": {"frequency": "daily"}}}'
ALWAYS_QUIET_TODAY = orjson.dumps({"snoozedUntil": "2099-01-01T00:00:00Z"}).decode()


async def test_quiet_hours_defer_and_silence(system: System, router: Router) -> None:
    await system.person("ada", preferences=ALWAYS_QUIET_TODAY)
    await system.person("bob")
    await system.listen(1, "user:ada", "user:bob")
    await router.handle(await system.publish(by_email("ada", "bob"), by_email("ada", severity="critical")))
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
    await router.handle(await system.publish(by_email("ada")))
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
    events = [
        by_email("ada", priority="LOW"),
        by_email("ada"),
        by_email("ada", severity="critical"),
        by_email("ada", priority="HIGH"),
    ]
    await router.handle(await system.publish(*events))
    await all_due(system)
    claimed = [(await emailed(system, 1))[0].content.notification for _ in events]
    assert claimed == [events[n].id for n in (2, 3, 1, 0)]


async def test_what_is_over_is_neither_shown_nor_sent(system: System, router: Router) -> None:
    await system.person("ada")
    await system.listen(1, "user:ada")
    over, alive = (
        by_email("ada", expires_at=utc_now() - timedelta(seconds=1)),
        by_email("ada", expires_at=utc_now() + timedelta(days=1)),
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
