"""What the gateway itself accepts goes the whole way: a test, a broadcast, and an answer that its agent gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from devstack.layout import Layout, counts
from devstack.services import Services
from tests.integration.gateway.clients import eventually
from tests.integration.gateway.http import bearer

pytestmark = pytest.mark.covers("S17", "S14", "F4-4", "F0-6")

V1 = "/api/v1/notifications"


async def test_what_people_and_administrators_send_arrives(start_services: Callable[[Layout], Services]) -> None:
    services = start_services(Layout(counts=counts(ingests=1, routers=1, gateways=1, deliveries=0)))
    ana, admin = bearer("ana", orgId="o"), bearer("boss", role="admin", orgId="o")
    async with httpx.AsyncClient(base_url=services.url("gateway"), timeout=20) as http:

        async def listed(headers: dict[str, str], title: str) -> Any:
            items = (await http.get(V1, headers=headers)).json()["items"]
            return next((item for item in items if item["title"] == title), None)

        assert await listed(ana, "nothing yet") is None  # the first call opens the rooms of the token
        await _accepted(http, "/dev/notifications/test", ana, {"title": "Trial"})
        await eventually(lambda: listed(ana, "Trial"), "the test notification")

        await _accepted(http, "/admin/notifications/broadcast", admin, {"title": "Tonight", "message": "Upkeep"})
        await eventually(lambda: listed(ana, "Tonight"), "the broadcast")

        metadata = {"timestamp": "2025-10-17T10:00:00Z", "orgId": "o", "userId": "ana", "agentId": "helper"}
        data = {"name": "request_help", "title": "Help", "message": "Which?", "metadata": metadata}
        event = {"event": "agent.event", "data": data | {"severity": "high", "data": {"options": ["JWT", "OAuth2"]}}}
        await _accepted(http, "/api/v1/events", admin, event)
        asked = await eventually(lambda: listed(ana, "Help"), "the question")
        answered = await http.post(f"{V1}/{asked['id']}/responses", headers=ana, json={"value": "JWT"})
        assert answered.status_code == 201, answered.text
        answer = await eventually(lambda: listed(bearer(agentId="helper"), "Answer"), "the answer in the agent's inbox")
        assert answer["data"] == {"inResponseTo": asked["id"], "value": "JWT", "answeredBy": "ana"}


async def _accepted(http: httpx.AsyncClient, path: str, headers: dict[str, str], body: dict[str, Any]) -> None:
    answer = await http.post(path, headers=headers, json=body)
    assert answer.status_code == 202, answer.text
