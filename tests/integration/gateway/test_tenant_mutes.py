"""What a tenant hides in-app holds for who did not choose, from the change on, without a row for each person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.catalogue.catalogue import shipped
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.http import bearer, numbers
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("S12", "F2-2", "F2-4")

V1 = "/api/v1/notifications"
DEFAULTS = "/api/v1/tenant/preferences"
OFF: dict[str, Any] = {"defaults": {"categories": {"booking": {"in-app": False}}}}
TYPE = "booking.created"
SHIPPED = [kind.key for kind in shipped().types if kind.category == "booking"]


@pytest.fixture
async def http(gateways: Gateways) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateways.url) as calls:
        yield calls


@pytest.fixture
async def tenant(scribe: Scribe, name: str) -> str:
    await scribe.tenant(f"t{name}")
    return f"t{name}"


def boss(tenant: str) -> dict[str, str]:
    return bearer("boss", role="admin", tenantId=tenant)


async def test_a_type_is_hidden_while_the_tenant_says_so(http: httpx.AsyncClient, scribe: Scribe, tenant: str) -> None:
    mine, theirs = bearer("u", tenantId=tenant), bearer("v", tenantId=tenant)
    wanted = {"types": {TYPE: {"in-app": True}}}
    assert (await http.put("/api/v1/preferences", headers=theirs, json=wanted)).status_code == 200
    for number, document in enumerate(({}, OFF, {})):
        put = await http.put(DEFAULTS, headers=boss(tenant), json=document)
        assert (put.status_code, put.json()["version"]) == (200, number + 1)
        for user in ("u", "v"):
            await scribe.write(f"user:{user}", tenant=tenant, type=TYPE, data={"n": number})
        await scribe.write("user:u", tenant=tenant, type="a.b", data={"n": 10 + number})
    assert numbers(await http.get(V1, headers=mine)) == [12, 2, 11, 10, 0]
    assert (await http.get(f"{V1}/unread-count", headers=mine)).json() == {"count": 5}
    assert (await http.get(f"{V1}/counts", headers=mine)).json()["byType"][TYPE]["unread"] == 2
    assert numbers(await http.get(V1, headers=theirs)) == [2, 1, 0]
    assert (await http.get(f"{V1}/unread-count", headers=theirs)).json() == {"count": 3}
    rows = "select count(*) from mutes where tenant = $1 and user_id = ''"
    assert await scribe.value(rows, tenant) == len(SHIPPED)


async def test_nobody_hides_what_the_tenant_calls_mandatory(
    http: httpx.AsyncClient, scribe: Scribe, tenant: str
) -> None:
    mine = bearer("u", tenantId=tenant)
    await http.put("/api/v1/preferences", headers=mine, json={"mutedTypes": [TYPE]})
    await scribe.write("user:u", tenant=tenant, type=TYPE, data={"n": 0})
    await http.put(DEFAULTS, headers=boss(tenant), json=OFF | {"mandatory": {TYPE: ["in-app"]}})
    await scribe.write("user:u", tenant=tenant, type=TYPE, data={"n": 1})
    assert numbers(await http.get(V1, headers=mine)) == [1]


async def test_sockets_learn_of_it_and_of_who_chose_otherwise(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, tenant: str
) -> None:
    await http.put(
        "/api/v1/preferences", headers=bearer("v", tenantId=tenant), json={"types": {TYPE: {"in-app": True}}}
    )
    async with (
        client(gateways.other, token("u", tenantId=tenant)) as one,
        client(gateways.other, token("v", tenantId=tenant)) as other,
    ):
        await http.put(DEFAULTS, headers=boss(tenant), json=OFF)
        sent = 0

        async def hidden() -> bool:
            nonlocal sent
            sent += 1
            await scribe.publish("tenant", tenant=tenant, type=TYPE, data={"n": sent})
            await scribe.publish("tenant", tenant=tenant, type="a.b", data={"n": -sent})
            await one.until(lambda: -sent in one.shown())
            return sent not in one.shown()

        await eventually(hidden, "the socket goes by what the tenant says")
        await other.until(lambda: other.shown() == [n for k in range(1, sent + 1) for n in (k, -k)])


async def test_only_administrators_change_it_and_nothing_unseen(http: httpx.AsyncClient, tenant: str) -> None:
    mine = bearer("u", role="owner", tenantId=tenant)
    for method in ("GET", "PUT", "PATCH"):
        answer = await http.request(method, DEFAULTS, headers=mine, json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "not-an-administrator"), method
    first = await http.put(DEFAULTS, headers=boss(tenant), json=OFF)
    late = await http.put(DEFAULTS, headers=boss(tenant) | {"If-Match": '"0"'}, json={})
    assert (late.status_code, late.json()["code"]) == (412, "version-conflict")
    changed = await http.patch(
        DEFAULTS, headers=boss(tenant) | {"If-Match": first.headers["etag"]}, json={"timeZone": "Europe/Berlin"}
    )
    assert changed.json()["defaults"] == OFF["defaults"]
    assert changed.json()["timeZone"] == "Europe/Berlin"
    wrong = await http.put(DEFAULTS, headers=boss(tenant), json={"timeZone": "Mars"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-request")
    assert (await http.get(DEFAULTS, headers=boss(tenant))).json()["version"] == 2
