"""Notifications are planned for a tenant's endpoints, each once, and handed on to the channel's topic."""

from __future__ import annotations

import pytest

from libs.schemas.events import Recipients
from libs.schemas.records import DeliveryBatch
from tests.integration.router.composed import Router
from tests.integration.router.system import TENANT, System
from tests.integration.router.test_expansions import done, expanding
from tests.unit.router.events import accepted

pytestmark = pytest.mark.covers("F2-5", "F0-4")

_CARRY = "insert into devices (tenant, user_id, device_id, platform, token) values ($1, $2, 'd', 'fcm', 't')"
_REGISTER = """
insert into webhook_endpoints (tenant, endpoint_id, channel, url, secrets, types, disabled_at)
values ($1, $2, 'webhook', 'https://x.test/', '{whsec_AAAA}', $3, case when $4 then now() end)
"""


async def test_a_webhook_is_planned_for_each_endpoint_that_wants_it(system: System, router: Router) -> None:
    await system.sql.execute(_REGISTER, TENANT, "all", [], False)
    await system.sql.execute(_REGISTER, TENANT, "others", ["shop.order"], False)
    await system.sql.execute(_REGISTER, TENANT, "gone", [], True)
    await system.sql.execute(_REGISTER, "another", "theirs", [], False)
    event = accepted("system.notification", title="t", message="m", metadata={"orgId": "o"}, channels=("webhook",))
    records = await system.publish(event)
    await router.handle(records)
    await router.handle(records)
    rows = await system.sql.fetch("select id, user_id, channel, state from deliveries")
    assert [tuple(row)[1:] for row in rows] == [("endpoint all", "webhook", "planned")]
    batches = [DeliveryBatch.model_validate_json(value) for value in await system.read("delivery.webhook")]
    assert {reference.id for batch in batches for reference in batch.deliveries} == {rows[0]["id"]}
    await system.adds_up()


async def test_a_push_is_planned_for_who_carries_a_device(system: System, router: Router) -> None:
    for user in ("ada", "bob"):
        await system.person(user)
    await system.member("org:o", "ada", "bob")
    await system.sql.execute(_CARRY, TENANT, "ada")
    named = accepted(name="shop.order.updated", recipients=Recipients(user_ids=("ada", "bob")), channels=("push",))
    group = accepted("system.notification", title="t", message="m", metadata={"orgId": "o"}, channels=("push",))
    await router.handle(await system.publish(named, group))
    async with expanding(router):
        await system.until(lambda: done(system))
    for event in (named, group):
        rows = await system.sql.fetch("select user_id, state, reason from deliveries where notification = $1", event.id)
        assert sorted(tuple(row) for row in rows) == [
            ("ada", "planned", "channel-named"),
            ("bob", "suppressed", "no-address"),
        ]
