"""Two tenants on running services; what the first keeps to itself is marked by a word that no request ever holds."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg
import httpx

from devstack.services import Services
from libs.auth import api_keys
from tests.integration.gateway.clients import eventually, token

OURS, THEIRS = "alpha", "beta"
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

    async def say_to_those_who_listen(self) -> None:
        """Our ephemeral event for our person and our tenant."""
        event = {"event": "order:moved", "payload": {"word": self.secret}}
        async with self._client("ingest", await self.key(OURS)) as client:
            recipients = {"userIds": ["ana"], "tenant": True}
            (await client.post("/api/v1/ephemerals", json=event | {"recipients": recipients})).raise_for_status()

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
