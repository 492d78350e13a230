"""A tenant's own notification types: in force at once, refused with the reason, never forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from libs.catalogue.catalogue import shipped
from libs.schemas.records import AcceptedEvent
from tests.integration.ingest.system import System, bearer, ingesting
from tests.unit.schemas.examples import METADATA

pytestmark = pytest.mark.covers("F4-5", "S4", "B3", "F2-6")

TYPES = "/api/v1/catalogue/types"
ORDER: dict[str, Any] = {
    "aliases": ["ORDER_SHIPPED"],
    "match": {"event": "service.event", "name": "order.shipped"},
    "category": "shop",
    "name": "Order shipped",
    "channels": ["in-app", "email"],
    "priority": "HIGH",
    "templates": {"default": {"default": {"title": "On its way", "message": "{{ order.id }} is on its way"}}},
    "wireNames": {"/ws/notifications": "order.shipped"},
}


def event(name: str) -> dict[str, Any]:
    return {"event": "service.event", "data": {"name": name, "metadata": METADATA, "recipients": {"userIds": ["ann"]}}}


async def test_a_name_is_taken_from_when_the_tenant_registers_it(system: System, http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/v1/events", json=event("order.shipped"))).json()["code"] == "unregistered-name"
    put = await http.put(f"{TYPES}/order.shipped", json=ORDER)
    assert (put.status_code, put.json()["catalogueVersion"]) == (200, f"{shipped().version}+1"), put.text
    for name in ("order.shipped", "ORDER_SHIPPED"):
        assert (await http.post("/api/v1/events", json=event(name))).status_code == 202
    direct = await http.post("/api/v1/notifications", json={"type": "ORDER_SHIPPED", "recipients": {"userIds": ["a"]}})
    assert direct.status_code == 202
    found = [AcceptedEvent.model_validate_json(r.value) for r in await system.records("service.event", 3)]
    assert {(of.type, of.priority, of.severity) for of in found} == {("order.shipped", "HIGH", "high")}


async def test_of_a_shipped_type_only_what_differs_is_said(http: httpx.AsyncClient) -> None:
    patch = {"channels": ["in-app"], "templates": {"de": {"default": {"title": "Neuer Kontakt"}}}, "priority": "LOW"}
    assert (await http.put(f"{TYPES}/contact.created", json=patch)).status_code == 200
    shown = (await http.get(f"{TYPES}/contact.created")).json()
    assert shown["said"] == patch
    assert shown["type"]["aliases"] == ["CONTACT_CREATED"]
    assert (shown["type"]["channels"], sorted(shown["type"]["templates"])) == (["in-app"], ["de", "default"])
    assert (await http.delete(f"{TYPES}/contact.created")).status_code == 204
    assert (await http.get(f"{TYPES}/contact.created")).json()["said"] is None
    assert (await http.delete(f"{TYPES}/contact.created")).status_code == 404


async def test_every_version_can_be_read_again(system: System, http: httpx.AsyncClient) -> None:
    for icon in ("box", "truck"):
        assert (await http.put(f"{TYPES}/order.shipped", json=ORDER | {"icon": icon})).status_code == 200
    assert (await http.delete(f"{TYPES}/order.shipped")).status_code == 204
    versions = (await http.get(f"{TYPES}/order.shipped/versions")).json()["versions"]
    assert [(v["version"], v["until"], v["document"]["icon"]) for v in versions] == [(2, 3, "truck"), (1, 2, "box")]
    assert all(v["validTo"] and v["actor"].startswith("user:") for v in versions)
    then = await http.get(f"{TYPES}/order.shipped", params={"version": 1})
    assert (then.json()["type"]["icon"], then.json()["catalogueVersion"]) == ("box", f"{shipped().version}+1")
    assert (await http.get(f"{TYPES}/order.shipped")).status_code == 404
    actions = await system.db.fetch("select action from audit_trail where subject = 'type:order.shipped' order by at")
    assert [row["action"] for row in actions] == ["catalogue.put", "catalogue.put", "catalogue.delete"]


@pytest.mark.parametrize(
    ("key", "document", "field", "reason"),
    [
        ("order.shipped", {"name": "x"}, "match", "Field required"),
        ("order.shipped", ORDER | {"color": "red"}, "color", "String should match"),
        ("order.shipped", ORDER | {"templates": {"default": {"default": {"title": "{{ x() }}"}}}},
         "templates.default.default.title", "line 1: call is not allowed in a template"),
        ("order.shipped", ORDER | {"aliases": ["TASK_ASSIGNED"]}, "(body)", "TASK_ASSIGNED is a name of two types"),
        ("service.event", {"match": {"event": "service.event", "name": "a.b.c"}}, "(body)", "no type matches every"),
        ("contact.created", {"name": None}, "name", "Field required"),
    ],
)  # fmt: skip
async def test_a_bad_type_is_refused_with_the_reason(
    shared_http: httpx.AsyncClient, key: str, document: dict[str, Any], field: str, reason: str
) -> None:
    answer = await shared_http.put(f"{TYPES}/{key}", json=document)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-type")
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["message"].startswith(reason)
    assert (await shared_http.get(f"{TYPES}/{key}/versions")).json() == {"versions": []}


async def test_a_document_of_types_is_checked_with_its_lines(http: httpx.AsyncClient) -> None:
    text = "types:\n  - key: contact.created\n    icon: user\n  - key: x\n    color: red\n"
    answer = await http.post("/api/v1/catalogue/validate", content=text, headers={"Content-Type": "application/yaml"})
    assert answer.json()["valid"] is False
    faults = [(fault["line"], fault["key"], fault["field"]) for fault in answer.json()["faults"]]
    assert (5, "x", "color") in faults
    assert {key for _, key, _ in faults} == {"x"}
    good = await http.post("/api/v1/catalogue/validate", json={"types": [{"key": "contact.created", "icon": "user"}]})
    assert good.json() == {"valid": True, "faults": []}
    assert (await http.post("/api/v1/catalogue/validate", content=b"\xff\xfe")).status_code == 400


async def test_a_tenant_sees_and_changes_only_its_own(system: System, http: httpx.AsyncClient) -> None:
    await system.db.execute("insert into tenants (tenant) values ('acme')")
    assert (await http.put(f"{TYPES}/order.shipped", json=ORDER)).status_code == 200
    other = bearer(tenantId="acme")
    assert (await http.get(f"{TYPES}/order.shipped", headers=other)).status_code == 404
    assert (await http.get(f"{TYPES}/order.shipped", params={"tenant": "acme"})).status_code == 403
    there = event("order.shipped")
    assert (await http.post("/api/v1/events", json=there, headers=other)).json()["code"] == "unregistered-name"
    key = (await http.post("/api/v1/keys", json={"name": "reads", "scopes": ["catalogue:read"]})).json()["key"]
    reads = {"Authorization": f"Bearer {key}"}
    assert (await http.get(TYPES, headers=reads)).status_code == 200
    refused = await http.put(f"{TYPES}/order.shipped", json=ORDER, headers=reads)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing-scope")


async def test_changes_at_the_same_time_are_each_tried_on_the_whole(http: httpx.AsyncClient) -> None:
    """Two types that want one alias: one of them gets it, whoever comes first."""
    answers = await asyncio.gather(
        *(http.put(f"{TYPES}/order.{n}", json=ORDER | {"match": ORDER["match"] | {"name": f"order.{n}"}})
          for n in range(4))
    )  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]


async def test_another_process_learns_of_a_change_within_seconds(system: System, http: httpx.AsyncClient) -> None:
    async with ingesting(system) as other:
        assert (await other.put(f"{TYPES}/order.shipped", json=ORDER)).status_code == 200
        async with asyncio.timeout(10):
            while (await http.post("/api/v1/events", json=event("order.shipped"))).status_code != 202:
                await asyncio.sleep(0.1)
