"""The client of the event-flows document, on npm's socket.io-client, against a running gateway (F0-5, F0-6, F0-7)."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.contract.node_client import NodeClient, node
from tests.integration.gateway.clients import token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F0-5", "F0-6", "F0-7", "S9")

STAMP = "2025-10-17T10:00:00Z"
_SCRIPT = "event_flows.mjs"


@pytest.mark.parametrize("transports", [(), ("polling",), ("websocket",)], ids=["default", "polling", "websocket"])
async def test_the_four_events_reach_the_document_s_handlers(
    gateways: Gateways, scribe: Scribe, name: str, transports: tuple[str, ...]
) -> None:
    async with node(_SCRIPT, gateways.url, token(f"u{name}", orgId=f"o{name}"), *transports) as client:
        connected = await client.next("connected")
        assert connected["userId"] == f"u{name}"
        assert connected["rooms"][:2] == [f"user:u{name}", f"org:o{name}"]
        await _system_notification(client, scribe, f"org:o{name}")
        await _service_event(client, scribe, f"user:u{name}")
        await _service_alert(client, scribe, f"user:u{name}")
        await _agent_event(client, scribe, f"user:u{name}")


async def _system_notification(client: NodeClient, scribe: Scribe, room: str) -> None:
    texts = {"title": "New Feature Released", "message": "Analytics Dashboard is now available"}
    record = await scribe.publish(room, **texts, data={"ctaUrl": "/reports/analytics"})
    shown = await client.next("system.notification")
    assert shown == texts | {"severity": "normal", "ctaUrl": "/reports/analytics", "id": str(record.id)}


async def _service_event(client: NodeClient, scribe: Scribe, room: str) -> None:
    data = {"_id": "user-new-789", "email": "john.doe@example.com"}
    record = await scribe.publish(room, event="service.event", name="iam.user.created", data=data)
    assert await client.next("service.event") == {"name": "iam.user.created", "data": data, "id": str(record.id)}


async def _service_alert(client: NodeClient, scribe: Scribe, room: str) -> None:
    record = await scribe.publish(room, event="service.alert", severity="critical", data={"actions": ["restart"]})
    shown = await client.next("service.alert")
    assert shown["severity"] == "critical"
    assert shown["actions"] == ["restart"]
    assert shown["id"] == str(record.id)


async def _agent_event(client: NodeClient, scribe: Scribe, room: str) -> None:
    metadata = {"timestamp": STAMP, "orgId": "o", "userId": "u", "agentId": "agent-code-helper-123"}
    await scribe.publish(room, event="agent.event", name="thinking", metadata=metadata, data={"progress": 30})
    shown = await client.next("agent.event")
    assert (shown["agentId"], shown["action"], shown["progress"]) == ("agent-code-helper-123", "thinking", 30)


async def test_history_reading_and_deleting(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with node(_SCRIPT, gateways.url, token(f"u{name}")) as client:
        await client.next("connected")
        records = [await scribe.publish(f"user:u{name}", title=f"T{n}") for n in range(3)]
        assert await client.do("unread") == 3
        history = await client.do("history", json.dumps({"event": "system.notification", "limit": 2}))
        assert [item["title"] for item in history["body"]["items"]] == ["T2", "T1"]
        assert (await client.do("read", str(records[2].id)))["status"] == 200
        read = await client.next("notification.read")
        assert read["notificationId"] == str(records[2].id)
        assert read["userId"] == f"u{name}"
        assert read["readAt"].endswith("Z")
        assert (await client.do("delete", str(records[1].id)))["status"] == 204
        assert (await client.next("notification.deleted"))["notificationId"] == str(records[1].id)
        assert await client.do("unread") == 1


async def test_an_agent_connects(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with node(_SCRIPT, gateways.url, token(agentId=f"a{name}")) as client:
        assert f"agent:a{name}" in (await client.next("connected"))["rooms"]
        await _service_event(client, scribe, f"agent:a{name}")


async def test_a_wrong_token_is_told_and_not_tried_again(gateways: Gateways) -> None:
    async with node(_SCRIPT, gateways.url, "nonsense") as client:
        error = await client.next("error")
        assert error["code"] == "UNAUTHORIZED"
        assert error["message"] == "Invalid or expired JWT token"
        assert error["timestamp"].endswith("Z")
        assert await client.next("disconnect") == "io server disconnect"


async def test_when_a_gateway_stops_the_client_comes_back_by_itself(gateways: Gateways, name: str) -> None:
    process = gateways.services["gateway-2"]
    async with node(_SCRIPT, gateways.other, token(f"u{name}"), "websocket") as client:
        await client.next("connected")
        assert await asyncio.to_thread(process.stop) == 0
        assert await client.next("disconnect") in ("transport close", "transport error")
        await asyncio.to_thread(process.start)
        await client.next("connected")
