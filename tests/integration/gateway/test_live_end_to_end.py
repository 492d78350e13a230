"""From an application to a browser: a policy and an ephemeral event by the public origin, heard at another gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from devstack.layout import Layout, counts
from devstack.services import Services
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT

pytestmark = pytest.mark.covers("F3-6", "S15", "S2")

Start = Callable[[Layout], Services]


async def test_a_service_reaches_whoever_has_joined(start_services: Start) -> None:
    layout = Layout(counts=counts(ingests=1, routers=0, gateways=2, deliveries=0), environment=ENVIRONMENT)
    services = await asyncio.to_thread(start_services, layout)
    admin = {"Authorization": f"Bearer {token('boss', roles=['ADMIN'])}"}
    async with (
        httpx.AsyncClient(base_url=services.url("gateway", 0), headers=admin, timeout=10) as origin,
        client(services.url("gateway", 1), token("u"), namespace="/events") as one,
    ):
        made = await origin.put("/api/v1/resource-policies/task", json={"members": ["tenant"]})
        assert made.status_code == 200

        async def joined() -> bool:
            return bool(await one.ask("joinRoom", {"room": "task:7"}) == {"room": "task:7"})

        await eventually(joined, "the policy to be in force")
        to_task = {"resources": [{"type": "task", "id": "7"}]}
        moved = {"event": "task:moved", "payload": {"column": "done"}, "recipients": to_task}
        sent = await origin.post("/api/v1/ephemerals", json=moved)
        assert sent.json() == {"status": "accepted", "gateways": 1}
        assert await one.event("task:moved") == {"column": "done"}
        await origin.delete("/api/v1/resource-policies/task")

        async def refused() -> bool:
            return bool((await one.ask("joinRoom", {"room": "task:8"})).get("code") == "FORBIDDEN")

        await eventually(refused, "the policy to be gone")
