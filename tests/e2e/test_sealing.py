"""Through all processes: sensitive data is sealed in the database, and seen by those whom it is for and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from devstack.layout import Layout, Neighbours, counts
from devstack.services import Services
from devstack.smtp_peer import SmtpPeer, smtp_environment
from libs.catalogue.paths import MASK
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.http import bearer

pytestmark = pytest.mark.covers("F2-8", "B11")

V1 = "/api/v1/notifications"
SECRET = "the-diagnosis"
READY = {
    "match": {"event": "service.event", "name": "result.ready"},
    "category": "ward",
    "name": "Result ready",
    "channels": ["in-app", "email"],
    "sensitive": ["result.text"],
    "templates": {
        "default": {
            "default": {"title": "A result is there", "message": "Open the inbox."},
            "email": {"title": "A result is there", "message": "It says {{ result.text }}."},
        }
    },
}
DATA = {"result": {"text": SECRET, "ward": 7}}


async def test_it_is_sealed_at_rest_and_open_to_whom_it_is_for(
    start_services: Callable[[Layout], Services], neighbours: Neighbours
) -> None:
    ada, boss = bearer("ada"), bearer("boss", role="admin", roles=["admin"])
    with SmtpPeer() as mail:
        layout = Layout(
            counts=counts(),
            environment=smtp_environment(mail.port) | {"CARILLON_CHANNELS": "email"},
            by_service={"gateway": {"CARILLON_LOG_PAYLOAD_ROLES": "admin"}},
        )
        services = await asyncio.to_thread(start_services, layout)
        async with httpx.AsyncClient(base_url=services.url("gateway"), timeout=20) as http:
            await _prepare(http, boss)
            await eventually(lambda: _sent(http, boss), "the type to be known")
            listed = await eventually(lambda: _listed(http, ada), "the notification")
            assert listed["data"] == DATA
            one = await http.get(f"{V1}/{listed['id']}", headers=ada)
            assert one.json()["data"] == DATA
            async with client(services.url("gateway"), token("ada")) as socket:  # who comes later is caught up
                assert SECRET in orjson.dumps(await socket.event("service.event")).decode()

            async def mailed() -> bool:  # delivery hears of a new type within seconds
                await _sent(http, boss)
                return any(f"It says {SECRET}." in letter.text() for letter in mail.messages)

            await eventually(mailed, "the text of the type")
            logged = (await http.get("/admin/notifications/logs", headers=boss)).json()["items"]
            assert logged
            assert all(line["payload"]["data"] == {"result": {"text": MASK, "ward": 7}} for line in logged)
            assert await _in_plain(neighbours.postgres_dsn) == []
            await _erased(http, ada, boss)


async def _prepare(http: httpx.AsyncClient, boss: dict[str, str]) -> None:
    for path, body in (("catalogue/types/result.ready", READY), ("directory/users/ada", {"email": "ada@example.org"})):
        answer = await http.put(f"/api/v1/{path}", headers=boss, json=body)
        assert answer.status_code in (200, 201), answer.text


async def _sent(http: httpx.AsyncClient, boss: dict[str, str]) -> bool:
    body = {"type": "result.ready", "data": DATA, "recipients": {"userIds": ["ada"]}}
    return (await http.post(V1, headers=boss, json=body)).status_code == 202


async def _listed(http: httpx.AsyncClient, ada: dict[str, str]) -> dict[str, Any] | None:
    items: list[dict[str, Any]] = (await http.get(V1, headers=ada)).json()["items"]
    return items[0] if items else None


async def _erased(http: httpx.AsyncClient, ada: dict[str, str], boss: dict[str, str]) -> None:
    path = "/api/v1/directory/users/ada/content"
    assert (await http.delete(path, headers=boss)).status_code == 202

    async def done() -> bool:
        return bool((await http.get(path, headers=boss)).json()["status"] == "erased")

    await eventually(done, "the erasure")
    assert await _listed(http, ada) is None


async def _in_plain(dsn: str) -> list[str]:
    """The tables in which the secret stands, as text or as bytes."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = [
            row[0] for row in await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        ]
        texts = {table: await connection.fetchval(f"select string_agg(t::text, '') from {table} t") for table in tables}
    finally:
        await connection.close()
    return [table for table, text in texts.items() if text and (SECRET in text or SECRET.encode().hex() in text)]
