"""What a tenant's own catalogue says holds on every route and socket (F4-5, S4, S5, S12)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.http import bearer, numbers
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F4-5", "S4", "S12", "F3-4", "F2-2")

V1 = "/api/v1/notifications"
LATE: dict[str, Any] = {
    "aliases": ["order-late"],
    "match": {"event": "service.event", "name": "order.late"},
    "category": "kitchen",
    "name": "Order late",
    "channels": ["in-app"],
}


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return ENVIRONMENT | {"CARILLON_LOG_PAYLOAD_ROLES": "auditor"}


@pytest.fixture
async def http(gateways: Gateways) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateways.url) as one:
        yield one


async def say(scribe: Scribe, tenant: str, **types: dict[str, Any]) -> None:
    await scribe.tenant(tenant)
    await scribe.pool.execute("insert into catalogue_heads (tenant, version) values ($1, 1)", tenant)
    rows = [(tenant, key.replace("_", "."), orjson.dumps(document).decode()) for key, document in types.items()]
    statement = "insert into notification_types (tenant, key, version, document, actor) values ($1, $2, 1, $3, 'test')"
    await scribe.pool.executemany(statement, rows)


async def test_routes_go_by_the_tenants_own_types(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    tenant, mine = f"t{name}", bearer(f"u{name}", tenantId=f"t{name}")
    await say(scribe, tenant, order_late=LATE, system_notification={"mandatory": True})
    await scribe.write(f"user:u{name}", tenant=tenant, event="service.event", type="order.late", data={"n": 1})
    await scribe.write(f"user:u{name}", tenant=tenant, data={"n": 2})

    async def known() -> bool:
        return numbers(await http.get(V1, headers=mine, params={"type": "order-late"})) == [1]

    await eventually(known, "the tenant's types")
    assert numbers(await http.get(V1, headers=mine, params={"category": "kitchen"})) == [1]
    counts = (await http.get(f"{V1}/counts", headers=mine)).json()
    assert counts["byCategory"]["kitchen"] == {"unread": 1, "unseen": 1}
    flat = await http.put("/api/v1/preferences/flat", headers=mine, json={"preferences": {"order-late": False}})
    assert flat.json()["preferences"] == {"order.late": False}
    muted = "select array_agg(type order by type) from mutes where tenant = $1 and until is null"
    assert await scribe.value(muted, tenant) == ["order.late"]
    off = {"categories": {"kitchen": {"in-app": False}, "system": {"in-app": False}}, "mutedTypes": None}
    await http.patch("/api/v1/preferences", headers=mine, json=off)
    types = await scribe.value(muted, tenant)
    assert "order.late" in types
    assert "system.maintenance" in types
    assert "system.notification" not in types, "the tenant made it mandatory"


@pytest.mark.covers("F2-8", "S18")
async def test_sensitive_data_is_masked_for_administrators(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    tenant = f"t{name}"
    await say(scribe, tenant, order_late=LATE | {"sensitive": ["guest.name"]})
    data = {"guest": {"name": "Ada", "table": 7}}
    await scribe.write(f"user:u{name}", tenant=tenant, event="service.event", type="order.late", data=data)
    auditor = bearer("eve", tenantId=tenant, roles=["ADMIN", "auditor"])

    async def hidden() -> bool:
        (line,) = (await http.get("/admin/notifications/logs", headers=auditor)).json()["items"]
        return bool(line["payload"]["data"] == {"guest": {"name": "•••", "table": 7}})

    await eventually(hidden, "the tenant's type")
    (own,) = (await http.get(V1, headers=bearer(f"u{name}", tenantId=tenant))).json()["items"]
    assert own["data"] == data


async def test_without_web_sockets_notifications_stand_in_the_inbox_alone(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    mine, room = bearer(f"u{name}"), f"user:u{name}"
    answer = await http.put("/api/v1/preferences/flat", headers=mine, json={"enableWebSocket": False})
    assert answer.json()["enableWebSocket"] is False
    async with client(gateways.other, token(f"u{name}")) as one:
        await scribe.publish(room, data={"n": 1})
        await http.put("/api/v1/preferences/flat", headers=mine, json={"enableWebSocket": True})

        async def again() -> bool:
            await scribe.publish(room, data={"n": 2})
            return 2 in one.shown()

        await eventually(again, "the switch to reach the socket")
        assert 1 not in one.shown()
    assert numbers(await http.get(V1, headers=mine))[-1] == 1
    assert (await http.get(f"{V1}/unread-count", headers=mine)).json()["count"] >= 2
