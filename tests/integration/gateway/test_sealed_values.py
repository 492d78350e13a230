"""A value that cannot be opened is null where it stands, and takes nothing else along: in the inbox and on sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from libs.sealing.values import DataKey, seal
from tests.integration.gateway.clients import client, token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.http import bearer
from tests.integration.gateway.scribe import Scribe
from tests.vault import vault

pytestmark = pytest.mark.covers("F2-8")

V1 = "/api/v1/notifications"


@pytest.fixture
async def http(gateways: Gateways) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateways.url) as one:
        yield one


async def sealed(scribe: Scribe, tenant: str, user: str, n: int) -> UUID:
    """A notification whose `secret` is sealed as the router does; returns which."""
    written = await scribe.write(f"user:{user}", tenant=tenant, data={"n": n})
    ((subject, key),) = (await vault().keys(scribe.pool.fetch, [(tenant, user)])).items()
    assert subject == (tenant, user)
    await put(scribe, tenant, written.id, n, key)
    return written.id


async def put(scribe: Scribe, tenant: str, id_: UUID, n: int, key: DataKey) -> None:
    data, values = seal({"n": n, "secret": f"s{n}"}, ["secret"], key, (tenant, id_))
    texts = orjson.dumps(data).decode(), orjson.dumps(values).decode()
    await scribe.pool.execute("update notifications set data = $2, sealed = $3 where id = $1", id_, *texts)


async def shown(http: httpx.AsyncClient, user: str, tenant: str) -> dict[int, Any]:
    answer = await http.get(V1, headers=bearer(user, tenantId=tenant))
    assert answer.status_code == 200, answer.text
    return {item["data"]["n"]: item["data"]["secret"] for item in answer.json()["items"]}


async def test_what_cannot_be_opened_takes_nothing_else_along(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    tenant, user = f"t{name}", f"u{name}"
    _, other, wrong = [await sealed(scribe, tenant, user, n) for n in (1, 2, 3)]
    await put(scribe, tenant, other, 2, DataKey(UUID(int=7), b"k" * 32))  # a key that is nowhere any more
    await scribe.pool.execute(
        'update notifications set sealed = sealed || \'{"values": {"secret": "x"}}\' where id = $1', wrong
    )
    assert await shown(http, user, tenant) == {1: "s1", 2: None, 3: None}
    async with client(gateways.other, token(user, tenantId=tenant)) as socket:
        await socket.shows(1, 2, 3)
        told = [frame["data"] for frame in socket.of("system.notification")]
    assert {data["n"]: data["secret"] for data in told} == {1: "s1", 2: None, 3: None}
    metrics = (await http.get("/metrics")).text
    assert 'carillon_gateway_unsealable_total{reason="key-gone"} 1.0' in metrics
    assert 'carillon_gateway_unsealable_total{reason="tampered"} 1.0' in metrics


async def test_a_tenant_cannot_open_what_another_ones_key_sealed(
    http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    mine, theirs, user = f"a{name}", f"b{name}", f"u{name}"
    await sealed(scribe, theirs, user, 1)
    copied = await scribe.write(f"user:{user}", tenant=mine, data={"n": 2})
    await scribe.pool.execute(
        """update notifications n set data = o.data || '{"n": 2}', sealed = o.sealed
           from notifications o where n.id = $1 and o.tenant = $2""",
        copied.id,
        theirs,
    )
    assert await shown(http, user, theirs) == {1: "s1"}
    assert await shown(http, user, mine) == {2: None}
