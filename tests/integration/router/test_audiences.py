"""Who gets what, in which room and on which channel, on a real broker and a real database."""

from __future__ import annotations

import orjson
import pytest

from libs.runtime.ids import delivery_id
from libs.schemas.events import Recipients
from tests.integration.router.composed import Router, routing
from tests.integration.router.events import alert, to
from tests.integration.router.system import TENANT, System
from tests.unit.router.events import TRACEPARENT, accepted

pytestmark = pytest.mark.covers("F0-4", "S7", "S14", "S15")


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


async def test_the_same_id_in_two_tenants_is_two_notifications(system: System, router: Router) -> None:
    event = to("ada")
    other = event.model_copy(update={"tenant": "other"})
    await router.handle(await system.publish(event, other))
    assert await system.sql.fetchval("select count(*) from room_log where notification = $1", event.id) == 2


async def test_explicit_people_are_in_their_own_room_whatever_groups_they_are_in(
    system: System, router: Router
) -> None:
    await system.member("org:o", "ada")
    event = to("ada").model_copy(update={"recipients": Recipients(user_ids=("ada",), org_ids=("o",))})
    await router.handle(await system.publish(event))
    assert await system.log("user:ada") == await system.log("org:o") == [event.id]
    assert await system.sql.fetchval("select tenant from notifications") == TENANT


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
