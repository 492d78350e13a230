"""Keys and tenants: shown once, limited to what their maker has, forgotten within seconds."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.ingest.system import System, bearer, until
from tests.unit.schemas.examples import METADATA, example

pytestmark = pytest.mark.covers("F2-4", "S3", "S14")

PLATFORM = bearer(roles=["platform.admin"])
KEYS, TENANTS, EVENTS = "/api/v1/keys", "/api/v1/directory/tenants", "/api/v1/events"


async def test_the_life_of_a_key(system: System, http: httpx.AsyncClient) -> None:
    made = (await http.post(KEYS, json={"name": "shop", "scopes": ["events:write"]})).json()
    holder = {"X-API-Key": made["key"], "Authorization": ""}
    assert (await http.post(EVENTS, json=example("service.event"), headers=holder)).status_code == 202
    assert (await http.get(KEYS, headers=holder)).json()["code"] == "missing-scope"
    (listed,) = (await http.get(KEYS)).json()["keys"]
    assert (listed["keyId"], listed["name"], listed["revokedAt"]) == (made["keyId"], "shop", None)
    assert made["key"] not in (await http.get(KEYS)).text
    stored = await system.db.fetchval("select hash from api_keys")
    assert made["key"].encode() not in stored
    assert (await http.delete(f"{KEYS}/{made['keyId']}")).status_code == 204
    assert (await http.delete(f"{KEYS}/{made['keyId']}")).status_code == 404

    async def publish() -> int:
        return (await http.post(EVENTS, json=example("service.event"), headers=holder)).status_code

    await until(publish, lambda status: status == 401)
    rows = await system.db.fetch("select actor, action, subject from audit_trail order by at")
    subject = f"key:{made['keyId']}"
    assert [tuple(row) for row in rows] == [
        ("user:operator", "key.create", subject),
        ("user:operator", "key.revoke", subject),
    ]


async def test_a_key_that_has_ended_is_not_taken(http: httpx.AsyncClient) -> None:
    asked = {"name": "old", "scopes": ["events:write"], "expiresAt": "2020-01-01T00:00:00Z"}
    made = (await http.post(KEYS, json=asked)).json()
    answer = await http.post(EVENTS, json=example("service.event"), headers={"Authorization": f"Bearer {made['key']}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown-key")


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"name": "k", "scopes": ["everything"]}, 422, "invalid-field"),
        ({"name": "k", "scopes": []}, 422, "invalid-field"),
        ({"name": "k", "scopes": ["events:write"], "tenants": ["acme"]}, 403, "tenant-not-allowed"),
        ({"name": "k", "scopes": ["events:write"], "tenants": ["*"]}, 403, "not-the-platform"),
    ],
)
async def test_nobody_gives_what_they_do_not_have(
    asked: dict[str, object], status: int, code: str, shared_http: httpx.AsyncClient
) -> None:
    answer = await shared_http.post(KEYS, json=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_key_gives_on_only_its_own_scopes(http: httpx.AsyncClient) -> None:
    made = (await http.post(KEYS, json={"name": "maker", "scopes": ["keys:write"]})).json()
    holder = {"Authorization": f"Bearer {made['key']}"}
    assert (await http.post(KEYS, json={"name": "n", "scopes": ["keys:write"]}, headers=holder)).status_code == 201
    refused = await http.post(KEYS, json={"name": "n", "scopes": ["events:write"]}, headers=holder)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing-scope")


async def test_tenants_are_the_platforms(http: httpx.AsyncClient) -> None:
    event = example("service.event", metadata=METADATA | {"tenantId": "acme"})
    assert (await http.put(f"{TENANTS}/acme", json={})).json()["code"] == "not-the-platform"
    assert (await http.post(EVENTS, json=event, headers=PLATFORM)).json()["code"] == "unknown-tenant"
    made = await http.put(f"{TENANTS}/acme", json={"name": "Acme", "settings": {"a": 1}}, headers=PLATFORM)
    assert (made.json()["name"], made.json()["settings"], made.json()["disabledAt"]) == ("Acme", {"a": 1}, None)
    assert (await http.post(EVENTS, json=event, headers=PLATFORM)).status_code == 202
    assert (await http.put(f"{TENANTS}/a:b", json={}, headers=PLATFORM)).status_code == 422
    assert (await http.delete(f"{TENANTS}/acme", headers=PLATFORM)).status_code == 204
    assert (await http.get(f"{TENANTS}/acme", headers=PLATFORM)).json()["disabledAt"] is not None

    async def publish() -> str:
        return str((await http.post(EVENTS, json=event, headers=PLATFORM)).json().get("code"))

    await until(publish, lambda code: code == "unknown-tenant")
