"""Ephemeral events and policies of resources over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.integration.ingest.system import System, bearer, ingesting

pytestmark = pytest.mark.covers("F3-6", "S15", "F2-4")

EPHEMERALS, POLICIES = "/api/v1/ephemerals", "/api/v1/resource-policies"


async def listen(system: System, slot: int, tenant: str, *rooms: str) -> None:
    await system.db.execute(
        "insert into gateway_slots (slot, epoch, holder, lease_until) values ($1, 1, 'g', 'infinity')",
        slot,
    )
    for room in rooms:
        await system.db.execute("insert into room_interest values ($1, $2, $3, 1)", tenant, room, slot)


async def heard(system: System, slot: int, count: int) -> list[dict[str, Any]]:
    partition = TopicPartition(system.prefix + "gateway.inbox", slot)
    consumer = AIOKafkaConsumer(bootstrap_servers=system.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return [orjson.loads((await consumer.getone(partition)).value) for _ in range(count)]
    finally:
        await consumer.stop()


def event(**given: Any) -> dict[str, Any]:
    return {"event": "doc:edited", "payload": {"n": 1}, "recipients": {"userIds": ["u"]}} | given


async def test_events_go_to_the_gateways_that_listen_and_to_no_other(system: System, http: httpx.AsyncClient) -> None:
    await listen(system, 3, "default", "user:u", "tenant")
    await listen(system, 5, "default", "tenant", "res:doc:1")
    await listen(system, 7, "other", "user:u", "tenant", "res:doc:1")
    one = await http.post(EPHEMERALS, json=event())
    assert (one.status_code, one.json()) == (202, {"status": "accepted", "gateways": 1})
    both = await http.post(EPHEMERALS, json=event(recipients={"userIds": ["u"], "tenant": True}))
    assert both.json()["gateways"] == 2
    nobody = await http.post(EPHEMERALS, json=event(recipients={"sessionIds": ["s"]}))
    assert nobody.json()["gateways"] == 0
    many = await http.post(
        EPHEMERALS, json=[event(event="connect"), event(recipients={"resources": [{"type": "doc", "id": "1"}]})]
    )
    assert many.json()["results"][0]["problem"]["code"] == "reserved-event"
    assert many.json()["results"][1] == {"status": 202, "gateways": 1}
    assert [record["rooms"] for record in await heard(system, 3, 2)] == [["user:u"], ["user:u", "tenant"]]
    records = await heard(system, 5, 2)
    assert [record["rooms"] for record in records] == [["user:u", "tenant"], ["res:doc:1"]]
    assert records[0] | {"rooms": []} == {
        "schemaVersion": 1, "kind": "ephemeral", "tenant": "default", "rooms": [], "event": "doc:edited",
        "payload": {"n": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not-json"),
        (orjson.dumps(event(event="notification:new")), 422, "reserved-event"),
        (orjson.dumps(event(tenantId="acme")), 403, "tenant-not-allowed"),
        (b"[]", 422, "too-many"),
        (orjson.dumps([event()] * 101), 422, "too-many"),
        (orjson.dumps([event(event="connect")]), 422, "all-refused"),
        (b'{"event": "x:y", "payload": {"t": "\\u0000"}, "recipients": {"tenant": true}}', 422, "nul-character"),
    ],
)
async def test_refusals_are_problems(shared_http: httpx.AsyncClient, body: bytes, status: int, code: str) -> None:
    answer = await shared_http.post(EPHEMERALS, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_key_needs_the_scope(http: httpx.AsyncClient) -> None:
    for scope, status in (("ephemerals:write", 202), ("events:write", 202), ("status:read", 403)):
        made = (await http.post("/api/v1/keys", json={"name": "k", "scopes": [scope]})).json()
        answer = await http.post(EPHEMERALS, json=event(), headers={"Authorization": f"Bearer {made['key']}"})
        assert answer.status_code == status


async def test_the_quota_counts_them(system: System) -> None:
    async with ingesting(system, rate_limit=1, rate_burst=3) as http:
        assert (await http.post(EPHEMERALS, json=[event()] * 3)).status_code == 202
        limited = await http.post(EPHEMERALS, json=event())
        assert (limited.status_code, limited.json()["code"]) == (429, "rate-limited")


async def test_policies_are_kept_without_showing_their_secrets(system: System, http: httpx.AsyncClient) -> None:
    asked = {"members": ["org:{id}", "tenant"], "grantKey": "k" * 32, "url": "https://app.example.test/may"}
    made = (await http.put(f"{POLICIES}/doc", json=asked)).json()
    assert made["secret"].startswith("whsec_")
    assert {key: made[key] for key in ("resourceType", "members", "hasGrantKey", "secrets", "cacheSeconds")} == {
        "resourceType": "doc", "members": ["org:{id}", "tenant"], "hasGrantKey": True, "secrets": 1, "cacheSeconds": 60,
    }  # fmt: skip
    del asked["grantKey"]
    kept = (await http.put(f"{POLICIES}/doc", json=asked | {"clientEvents": True})).json()
    assert (kept["secret"], kept["hasGrantKey"], kept["secrets"], kept["clientEvents"]) == (None, True, 1, True)
    rotated = (await http.put(f"{POLICIES}/doc", json=asked | {"rotateSecret": True, "grantKey": None})).json()
    assert (rotated["hasGrantKey"], rotated["secrets"]) == (False, 2)
    assert rotated["secret"] not in (None, made["secret"])
    stored = await system.db.fetchrow("select * from resource_policies")
    assert stored is not None
    assert (stored["tenant"], stored["secrets"]) == ("default", [rotated["secret"], made["secret"]])
    (listed,) = (await http.get(POLICIES)).json()["policies"]
    assert listed == (await http.get(f"{POLICIES}/doc")).json() == rotated | {"secret": None}
    assert (await http.put(f"{POLICIES}/*", json={"members": ["tenant"]})).status_code == 200
    assert (await http.delete(f"{POLICIES}/doc")).status_code == 204
    assert (await http.delete(f"{POLICIES}/doc")).json()["code"] == "not-found"
    trail = await system.db.fetch("select action, subject from audit_trail where subject like 'policy:%' order by at")
    assert [row["action"] for row in trail] == ["policy.upsert"] * 4 + ["policy.remove"]


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("user", {}, "reserved-type"),
        ("session", {}, "reserved-type"),
        ("res", {}, "reserved-type"),
        ("9doc", {}, "invalid-request"),
        ("doc", {"members": ["everybody"]}, "invalid-field"),
        ("doc", {"members": ["res:task:1"]}, "invalid-field"),
        ("doc", {"grantKey": "short"}, "invalid-field"),
        ("doc", {"url": "http://app.example.test/"}, "invalid-field"),
        ("doc", {"url": "https://u:p@app.example.test/"}, "invalid-field"),
        ("doc", {"cacheSeconds": 0}, "invalid-field"),
    ],
)
async def test_policies_that_cannot_be(shared_http: httpx.AsyncClient, kind: str, body: Any, code: str) -> None:
    answer = await shared_http.put(f"{POLICIES}/{kind}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_policies_of_another_tenant_are_not_to_be_seen_or_changed(
    system: System, http: httpx.AsyncClient
) -> None:
    await system.db.execute("insert into tenants (tenant) values ('acme')")
    await http.put(f"{POLICIES}/doc", json={"members": ["tenant"]})
    theirs = bearer(tenantId="acme")
    assert (await http.get(POLICIES, headers=theirs)).json() == {"policies": []}
    assert (await http.get(f"{POLICIES}/doc", headers=theirs)).status_code == 404
    assert (await http.delete(f"{POLICIES}/doc", headers=theirs)).status_code == 404
    assert (await http.put(f"{POLICIES}/doc?tenant=default", json={}, headers=theirs)).status_code == 403
