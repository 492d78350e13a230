"""What administrators see and do (F4-4, F2-7, S18, S14), how often one may call, and a notification to try with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from libs.postgres.pool import create_pool
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.http import bearer
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F4-4", "F2-7", "F2-4", "S14", "S18", "S20")

ADMIN = "/admin/notifications"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return ENVIRONMENT | {
        "CARILLON_REST_BURST": "30",
        "CARILLON_REST_RATE": "0.5",
        "CARILLON_LOG_PAYLOAD_ROLES": "auditor",
    }


@pytest.fixture
async def http(gateways: Gateways) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateways.url) as one:
        yield one


@pytest.fixture
async def tenant(scribe: Scribe, name: str) -> str:
    await scribe.pool.execute("insert into tenants (tenant) values ($1) on conflict do nothing", f"t{name}")
    return f"t{name}"


async def test_the_log_has_a_line_for_each_room(
    http: httpx.AsyncClient, scribe: Scribe, tenant: str, name: str
) -> None:
    admin, auditor = (
        bearer("boss", tenantId=tenant, role="admin"),
        bearer("a", tenantId=tenant, roles=["admin", "auditor"]),
    )
    first = await scribe.write("user:u1", "org:o", tenant=tenant, title="Secret plan", data={"n": 1})
    second = await scribe.write("user:u2", tenant=tenant, type="booking.created", event="service.event", name="a.b.c")
    await scribe.write("user:u1", tenant="default", data={"n": 9})
    failed = """insert into deliveries (tenant, id, notification, user_id, channel, state, reason)
                values ($1, $2, $3, 'u1', 'email', 'failed', 'no-address')"""
    await scribe.pool.execute(failed, tenant, uuid4(), first.id)
    await http.patch(f"/api/v1/notifications/{second.id}/read", headers=bearer("u2", tenantId=tenant))
    lines = (await http.get(f"{ADMIN}/logs", headers=admin)).json()["items"]
    assert [(one["notification_id"], one["user_id"], one["room"]) for one in lines] == [
        (str(second.id), "u2", "user:u2"),
        (str(first.id), "u1", "user:u1"),
        (str(first.id), None, "org:o"),
    ]
    assert [(one["delivered"], one["error"]) for one in lines] == [
        (True, None),
        (False, "email: no-address"),
        (None, None),
    ]
    assert all("payload" not in one for one in lines)
    told = (await http.get(f"/api/v1{ADMIN}/logs", headers=auditor, params={"userId": "u1"})).json()["items"]
    assert [one["payload"]["title"] for one in told] == ["Secret plan"]


async def test_pages_and_filters_of_the_log(http: httpx.AsyncClient, scribe: Scribe, tenant: str) -> None:
    admin = bearer("boss", tenantId=tenant, role="ADMIN")
    records = [await scribe.write(f"user:u{n}", "org:o", tenant=tenant, type=f"t.{n % 2}") for n in range(4)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query: dict[str, Any] = {"limit": 3} | ({} if cursor is None else {"cursor": cursor})
        page = (await http.get(f"{ADMIN}/logs", headers=admin, params=query)).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 8
    assert {one.partition(":")[0] for one in seen} == {str(record.id) for record in records}
    of_type = await http.get(f"{ADMIN}/logs", headers=admin, params={"type": "t.1"})
    assert len(of_type.json()["items"]) == 4
    wrong = await http.get(f"{ADMIN}/logs", headers=admin, params={"cursor": "x"})
    assert wrong.status_code == 422


async def test_figures(http: httpx.AsyncClient, scribe: Scribe, tenant: str) -> None:
    admin = bearer("boss", tenantId=tenant, role="admin")
    records = [await scribe.write("user:u", tenant=tenant, severity="high") for _ in range(4)]
    await http.patch(f"/api/v1/notifications/{records[0].id}/read", headers=bearer("u", tenantId=tenant))
    delivery = """insert into deliveries (tenant, id, notification, user_id, channel, state, reason)
                  values ($1, $2, $3, 'u', 'email', $4, 'sent')"""
    for number, state in enumerate(("sent", "sent", "failed")):
        await scribe.pool.execute(delivery, tenant, uuid4(), records[number].id, state)
    stats = (await http.get(f"{ADMIN}/stats", headers=admin)).json()
    assert (stats["total"], stats["bySeverity"]) == (4, {"high": 4})
    assert sum(stats["byHour"].values()) == sum(stats["byDay"].values()) == 4
    assert stats["channels"] == {"email": {"sent": 2, "failed": 1}}
    assert (stats["deliveryRate"], stats["errorRate"], stats["readRate"]) == (0.6667, 0.3333, 0.25)
    assert stats["gateway"]["sockets"]["connections"] >= 0
    health = (await http.get(f"{ADMIN}/health", headers=admin)).json()
    assert {"sockets", "sse", "limits", "presence", "memory"} <= health.keys()
    assert health["memory"]["residentBytes"] > 0


async def test_who_has_read(http: httpx.AsyncClient, scribe: Scribe, tenant: str) -> None:
    admin = bearer("boss", tenantId=tenant, role="admin")
    people = [f"p{number}" for number in range(5)]
    await scribe.members("org:o", *people, tenant=tenant)
    record = await scribe.write("org:o", "user:alone", tenant=tenant)
    await http.patch(f"/api/v1/notifications/{record.id}/read", headers=bearer("p1", tenantId=tenant))
    for reader in ("p3", "alone"):
        await http.post("/api/v1/notifications/read-all", headers=bearer(reader, tenantId=tenant))
    path = f"/api/v1/notifications/{record.id}/readers"
    first = (await http.get(path, headers=admin, params={"limit": 2})).json()
    assert [one["userId"] for one in first["items"]] == ["alone", "p1"]
    rest = (await http.get(path, headers=admin, params={"after": first["next"]})).json()
    assert [one["userId"] for one in rest["items"]] == ["p3"]
    assert rest["items"][0]["readAt"] is not None
    other = await http.get(path, headers=bearer("boss", role="admin"))
    assert other.json()["items"] == []


async def test_nobody_else_may(http: httpx.AsyncClient, name: str) -> None:
    for method, path in (
        ("GET", f"{ADMIN}/logs"),
        ("GET", f"{ADMIN}/stats"),
        ("GET", f"{ADMIN}/health"),
        ("POST", f"{ADMIN}/broadcast"),
        ("GET", f"/api/v1/notifications/{uuid4()}/readers"),
    ):
        answer = await http.request(method, path, headers=bearer(f"u{name}", role="owner"))
        assert (answer.status_code, answer.json()["code"]) == (403, "not-an-administrator"), path


async def test_a_broadcast_says_when_ingest_is_away(http: httpx.AsyncClient) -> None:
    wanted = {"title": "Maintenance", "message": "Tonight"}
    answer = await http.post(f"{ADMIN}/broadcast", headers=bearer("boss", role="admin"), json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_who_calls_too_often_is_told_when_to_come_back(http: httpx.AsyncClient, name: str) -> None:
    mine = bearer(f"u{name}")
    first = await http.get("/api/v1/notifications", headers=mine)
    assert first.headers["ratelimit-policy"] == '"calls";q=30;w=60'
    assert first.headers["ratelimit"].startswith('"calls";r=29;t=')
    for _ in range(29):
        assert (await http.get("/api/v1/notifications/unread-count", headers=mine)).status_code == 200
    over = await http.get("/api/v1/notifications", headers=mine)
    assert (over.status_code, over.json()["code"]) == (429, "rate-limited")
    again = over.headers["retry-after"]
    assert again in ("1", "2")
    assert over.headers["ratelimit"] == f'"calls";r=0;t={again}'
    assert (await http.get("/api/v1/notifications", headers=bearer(f"v{name}"))).status_code == 200


async def test_a_test_notification_is_accepted(http: httpx.AsyncClient, name: str) -> None:
    mine = bearer(f"u{name}")
    sent = await http.post("/dev/notifications/test", headers=mine, json={"type": "booking.created"})
    assert sent.status_code == 202
    assert sent.json()["status"] == "accepted"
    wrong = await http.post("/dev/notifications/test", headers=mine, json={"type": "unheard.of"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown-type")


#: What the gateway reads or writes by itself; every one is kept apart by row-level security.
_TABLES = (
    "users",
    "memberships",
    "notifications",
    "room_log",
    "receipts",
    "room_watermarks",
    "user_heads",
    "state_log",
)
_MORE = ("preferences", "mutes", "devices", "responses", "deliveries")


async def test_without_a_tenant_a_query_of_the_gateway_sees_nothing(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, tenant: str
) -> None:
    record = await scribe.write("user:u", tenant=tenant)
    mine = bearer("u", tenantId=tenant)
    await http.patch(f"/api/v1/notifications/{record.id}/read", headers=mine)
    await http.put("/api/v1/preferences", headers=mine, json={"mutedTypes": ["x"]})
    await http.post("/api/v1/devices", headers=mine, json={"platform": "apns", "token": "cd" * 32})
    answer = "insert into responses (tenant, notification, user_id, value) values ($1, $2, 'u', 'v')"
    await scribe.pool.execute(answer, tenant, record.id)
    await scribe.members("org:o", "u", tenant=tenant)
    for table in ("notifications", "receipts", "mutes", "devices", "responses", "preferences", "memberships"):
        assert await scribe.value(f"select count(*) from {table} where tenant = $1", tenant) > 0, table
    async with await create_pool(gateways.services.neighbours.postgres_dsn, "carillon_gateway", max_size=1) as pool:
        for table in (*_TABLES, *_MORE):
            assert await pool.fetch(f"select 1 from {table} limit 1") == [], table
        for name in ("admin_log(null, null, null, 9, null, null, null, null, null)", "admin_readers($1, '', 9)"):
            arguments = [record.id] if "$1" in name else []
            with pytest.raises(asyncpg.UndefinedObjectError):  # no tenant is named
                await pool.fetch(f"select * from {name}", *arguments)
        async with pool.acquire() as connection, connection.transaction():
            set_to = "select set_config('carillon.tenant', 'default', true), set_config('carillon.reader', 'u', true)"
            await connection.execute(set_to)
            assert await connection.fetch("select * from admin_readers($1, '', 9)", record.id) == []
            for table in ("mutes", "devices", "responses"):
                assert await connection.fetch(f"select 1 from {table} where tenant = $1", tenant) == []
