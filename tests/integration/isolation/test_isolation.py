"""Nothing crosses between tenants: every route and every socket event, with the other tenant's ids in them.

What the first tenant keeps to itself is marked by a word that no request ever holds: wherever the second tenant sees
it, it has crossed. What the first tenant has stored is compared before and after.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
import socketio

from devstack.layout import Layout, counts
from devstack.services import Services
from libs.auth import api_keys
from libs.runtime.clock import iso, utc_now
from tests.integration.gateway.clients import eventually, token

pytestmark = pytest.mark.covers("F2-4", "S3", "S14", "S19")

OURS, THEIRS = "alpha", "beta"
NAMESPACES = ("/", "/notifications", "/events", "/ws/notifications")
ROUNDS = 3
_STORED = """
select format($q$select %L, md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), ''))
  from %I t where tenant = %L$q$, table_name, table_name, $1::text)
from information_schema.columns
where table_schema = 'public' and column_name = 'tenant' and table_name <> all($2::text[])
  and table_name in (select tablename from pg_tables where schemaname = 'public')
order by table_name
"""
#: Tables that change by themselves, or because our own people are connected.
_RESTLESS = ["room_interest", "lifecycle_outbox", "presence_sockets", "presence", "room_watermarks", "user_heads"]


class Tenants:
    """Two tenants on running services. `secret` is the word of the first one."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.secret = f"secret{uuid.uuid4().hex}"
        self.notifications: list[str] = []

    def bearer(self, tenant: str, **claims: Any) -> str:
        """A token of the person `ana`, who has a namesake in the other tenant."""
        return token("ana", tenantId=tenant, **claims)

    async def fill(self) -> None:
        """Our directory and our notifications, as our own administrator writes them."""
        async with self._client("ingest", self.bearer(OURS, roles=["ADMIN"])) as client:
            for path, body in (
                ("users/ana", {"email": f"{self.secret}@example.org", "displayName": self.secret}),
                ("users/ben", {"email": f"ben.{self.secret}@example.org"}),
                ("orgs/acme", {"name": self.secret}),
                ("memberships/acme/ana", {"role": "admin"}),
            ):
                (await client.put(f"/api/v1/directory/{path}", json=body)).raise_for_status()
            for recipients in ({"userIds": ["ana"]}, {"orgIds": ["acme"]}, {"tenant": True}):
                answer = await client.post("/api/v1/notifications", json=self.event(recipients))
                answer.raise_for_status()
                self.notifications.append(answer.json()["id"])
        await eventually(self._routed, "our notifications in their logs")

    def event(self, recipients: dict[str, Any]) -> dict[str, Any]:
        """A notification of ours."""
        texts = {"title": self.secret, "message": self.secret, "data": {"word": self.secret}}
        return {"type": "system.notification", "recipients": recipients, "channels": ["in-app"]} | texts

    async def stored(self) -> dict[str, str]:
        """A digest of our rows, by table."""
        connection = await asyncpg.connect(self.services.neighbours.postgres_dsn)
        try:
            queries = await connection.fetch(_STORED, OURS, _RESTLESS)
            return {row[0]: row[1] for query in queries for row in await connection.fetch(query[0])}
        finally:
            await connection.close()

    async def key(self, tenant: str) -> str:
        """An API key of the tenant that may do everything."""
        key = api_keys.create()
        connection = await asyncpg.connect(self.services.neighbours.postgres_dsn)
        try:
            await connection.execute("insert into tenants (tenant) values ($1) on conflict do nothing", tenant)
            await connection.execute(
                "insert into api_keys (tenant, key_id, hash, name, scopes) values ($1, $2, $3, 'test', $4)",
                tenant,
                key.key_id,
                key.hash,
                sorted(api_keys.SCOPES),
            )
        finally:
            await connection.close()
        return key.text

    def _client(self, service: str, bearer: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {bearer}"}
        return httpx.AsyncClient(base_url=self.services.url(service), headers=headers, timeout=20)

    async def _routed(self) -> bool:
        connection = await asyncpg.connect(self.services.neighbours.postgres_dsn)
        try:
            logged = await connection.fetchval("select count(*) from room_log where tenant = $1", OURS)
        finally:
            await connection.close()
        return bool(logged >= len(self.notifications))


@pytest.fixture
async def tenants(start_services: Callable[[Layout], Services]) -> Tenants:
    services = await asyncio.to_thread(start_services, Layout(counts=counts(deliveries=0)))
    both = Tenants(services)
    for tenant in (OURS, THEIRS):
        await both.key(tenant)
    await both.fill()
    return both


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
    return text.decode()


class Listener:
    """A socket that notes everything, and says everything that it can."""

    def __init__(self, namespace: str) -> None:
        self.namespace, self.heard = namespace, bytearray()
        self.io = socketio.AsyncClient(reconnection=False)
        self.io.on("*", self._note, namespace=namespace)

    async def connect(self, url: str, bearer: str, position: dict[str, Any]) -> None:
        auth = {"token": bearer, "position": position}
        await self.io.connect(url, auth=auth, namespaces=[self.namespace], transports=["websocket"])

    async def provoke(self, tenants: Tenants, dice: random.Random) -> None:
        """Names our rooms, people and notifications in every client event of the documents."""
        rooms = ["user:ana", "org:acme", "tenant", f"tenant:{OURS}", "broadcast", "agent:ana", "order:7", "session:s"]
        events: tuple[tuple[str, dict[str, Any]], ...] = (
            ("joinRoom", {"room": dice.choice(rooms)}),
            ("joinRoom", {"room": f"{OURS}:user:ana"}),
            ("markNotificationRead", {"notificationId": dice.choice(tenants.notifications)}),
            ("ack", {"notificationId": dice.choice(tenants.notifications)}),
            ("typing:start", {"resourceType": "order", "resourceId": "7"}),
            ("presence:update", {"status": "BUSY", "customStatus": "here", "tenantId": OURS}),
            ("subscribe", {"types": ["system.notification"], "tenantId": OURS}),
            ("getPresence", {"tenantId": OURS}),
            ("ping", {}),
        )
        for event, data in dice.sample(events, len(events)):
            await self.io.emit(event, data, namespace=self.namespace)

    def _note(self, event: str, *data: Any) -> None:
        self.heard += orjson.dumps([event, data], default=str)


async def test_no_socket_hears_what_is_anothers(tenants: Tenants) -> None:
    url, dice = tenants.services.url("gateway"), random.Random(4)
    before = await tenants.stored()
    claims = {"orgId": "acme", "roles": ["ADMIN"], "departments": ["d"]}
    theirs = [Listener(namespace) for namespace in NAMESPACES for _ in range(2)]
    ours = [Listener(namespace) for namespace in NAMESPACES]
    ahead = {"user:ana": [1, 0], "org:acme": [1, 0], "tenant": [1, 0], "state": [1, 0]}
    try:
        for n, listener in enumerate(theirs):
            await listener.connect(url, tenants.bearer(THEIRS, **claims), ahead if n % 2 else {})
        for listener in ours:
            await listener.connect(url, tenants.bearer(OURS, orgId="acme"), {})
        for listener in theirs:
            for _ in range(ROUNDS):
                await listener.provoke(tenants, dice)
        assert await tenants.stored() == before
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
    finally:
        for listener in (*theirs, *ours):
            await listener.io.disconnect()


async def _told(listeners: list[Listener], word: str) -> bool:
    return all(word.encode() in listener.heard for listener in listeners)
