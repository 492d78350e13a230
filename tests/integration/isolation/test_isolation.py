"""Nothing crosses between tenants: every route and every socket event, with the other tenant's ids in them.

What the first tenant keeps to itself is marked by a word that no request ever holds: wherever the second tenant sees
it, it has crossed. What the first tenant has stored is compared before and after.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from libs.runtime.clock import iso, utc_now
from tests.integration.gateway.clients import eventually
from tests.integration.isolation.listening import NAMESPACES, Listener, Overhearing, provocations
from tests.integration.isolation.tenants import OURS, ROUNDS, THEIRS, Tenants
from tests.unit.gateway.shaping import DIALECTS

pytestmark = pytest.mark.covers("F2-4", "S3", "S14", "S19", "F3-6", "F4-3")


def requests(document: dict[str, Any], tenants: Tenants, dice: random.Random) -> Iterator[tuple[str, str, Any, Any]]:
    """(method, path, query, body) for every operation of an OpenAPI document, with our ids wherever one fits."""
    for path, operations in document["paths"].items():
        for method in operations.keys() & {"get", "put", "post", "patch", "delete"}:
            filled = path
            while "{" in filled:
                before, _, rest = filled.partition("{")
                name, _, after = rest.partition("}")
                filled = before + dice.choice(_values(name, tenants)) + after
            query = {} if dice.random() < 0.3 else {"tenant": OURS, "tenantId": OURS, "userId": "ana"}
            yield method, filled, query, None if method in ("get", "delete") else _body(tenants, dice)


def _values(name: str, tenants: Tenants) -> list[str]:
    if "notification" in name or name == "id":
        return tenants.notifications
    if "tenant" in name:
        return [OURS]
    return ["ana", "ben", "acme", "user:ana", "org:acme", *tenants.notifications]


def _body(tenants: Tenants, dice: random.Random) -> dict[str, Any]:
    ids = dice.sample(tenants.notifications, 2)
    return {
        "tenant": OURS,
        "tenantId": OURS,
        "ids": ids,
        "notificationIds": ids,
        "userId": "ana",
        "event": "system.notification",
        "type": "system.notification",
        "title": "x",
        "message": "x",
        "recipients": {"userIds": ["ana"], "orgIds": ["acme"]},
        "data": {
            "title": "x",
            "message": "x",
            "metadata": {"timestamp": iso(utc_now()), "tenantId": OURS},
            "recipients": {"userIds": ["ana"]},
        },
    }


async def test_no_route_shows_or_changes_what_is_anothers(tenants: Tenants) -> None:
    callers = {
        "person": tenants.bearer(THEIRS, orgId="acme", departments=["d"]),
        "administrator": tenants.bearer(THEIRS, roles=["ADMIN"], orgId="acme"),
        "key": await tenants.key(THEIRS),
    }
    before, asked = await tenants.stored(), 0
    for service in ("gateway", "ingest"):
        async with httpx.AsyncClient(base_url=tenants.services.url(service), timeout=20) as client:
            document = (await client.get("/openapi.json")).json()
            for seed in range(ROUNDS):
                for caller, bearer in callers.items():
                    for method, path, query, body in requests(document, tenants, random.Random(seed)):
                        headers = {"Authorization": f"Bearer {bearer}"}
                        text = await _answer(client, method, path, headers=headers, params=query, json=body)
                        assert tenants.secret not in text, f"{caller}: {method} {path} {query}"
                        asked += 1
    assert asked > 100
    assert await tenants.stored() == before


async def _answer(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> str:
    """The body of the answer; of one that does not end, its first second."""
    text = bytearray()
    try:
        async with asyncio.timeout(1 if "sse" in path else 20), client.stream(method, path, **options) as answer:
            assert answer.status_code < 500 or answer.status_code == 503, f"{method} {path}: {answer.status_code}"
            async for chunk in answer.aiter_bytes():
                text += chunk
    except TimeoutError:
        assert "sse" in path, f"{method} {path} did not end"
    return text.decode("utf-8", "replace")  # a picture is no text


def test_every_client_event_is_tried() -> None:
    known = {name for dialect in DIALECTS.values() for name in dialect.commands}
    tenants = Tenants.__new__(Tenants)
    tenants.notifications = ["n"]
    assert {name for name, _ in provocations(tenants, random.Random(1))} == known


async def test_no_socket_hears_what_is_anothers(tenants: Tenants) -> None:
    url, dice = tenants.services.url("gateway"), random.Random(4)
    before = await tenants.stored()
    claims = {"orgId": "acme", "roles": ["ADMIN"], "departments": ["d"]}
    theirs = [Listener(namespace) for namespace in NAMESPACES for _ in range(2)]
    ours, stack = [Listener(namespace) for namespace in NAMESPACES], AsyncExitStack()
    ahead = {"user:ana": [1, 0], "org:acme": [1, 0], "tenant": [1, 0], "state": [1, 0]}
    try:
        for n, listener in enumerate(theirs):
            await listener.connect(url, tenants.bearer(THEIRS, **claims), ahead if n % 2 else {})
        for listener in ours:
            await listener.connect(url, tenants.bearer(OURS, orgId="acme"), {})
        overhearing = await stack.enter_async_context(Overhearing(url, tenants.bearer(THEIRS, **claims)))
        for listener in theirs:
            for _ in range(ROUNDS):
                await listener.provoke(tenants, dice)
        assert await tenants.stored() == before
        for listener in ours:  # what stands in no log
            mine = {"status": "BUSY", "customStatus": tenants.secret}
            await listener.io.emit("presence:update", mine, namespace=listener.namespace)
        await eventually(lambda: _told(ours, "presence"), "our own people to see each other")
        await tenants.say_to_those_who_listen()
        await eventually(lambda: _told(ours, "order:moved"), "our own people to be told what stands in no log")
        for listener in ours:
            listener.heard.clear()
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            headers = {"Authorization": f"Bearer {tenants.bearer(OURS, roles=['ADMIN'])}"}
            for recipients in ({"userIds": ["ana"]}, {"orgIds": ["acme"]}, {"tenant": True}, {"broadcast": True}):
                answer = await client.post("/api/v1/notifications", json=tenants.event(recipients), headers=headers)
                answer.raise_for_status()
        await eventually(lambda: _told(ours, tenants.secret), "our own people to be told")
        for listener in theirs:
            await listener.io.emit("ping", {}, namespace=listener.namespace)
        await eventually(lambda: _told(theirs, "pong"), "their sockets to answer")
        assert not [listener.namespace for listener in theirs if tenants.secret.encode() in listener.heard]
        assert b"connected" in overhearing.heard
        assert tenants.secret.encode() not in overhearing.heard
    finally:
        await stack.aclose()
        for listener in (*theirs, *ours):
            await listener.io.disconnect()


async def _told(listeners: list[Listener], word: str) -> bool:
    return all(word.encode() in listener.heard for listener in listeners)
