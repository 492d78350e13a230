"""The other documents' clients on npm's socket.io-client, against running gateways (F1-*, F3-3, F4-1, F4-2, S9)."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.contract.node_client import NodeClient, node
from tests.integration.gateway.clients import token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F1-1", "F1-2", "F1-3", "F3-3", "F4-1", "F4-2", "S1", "S6", "S9", "S22")


async def read(gateways: Gateways, bearer: str, path: str, method: str = "PATCH") -> None:
    async with httpx.AsyncClient(base_url=gateways.url, headers={"Authorization": f"Bearer {bearer}"}) as http:
        (await http.request(method, f"/api/v1/notifications{path}")).raise_for_status()


async def test_the_internal_module_s_client(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer = token(f"u{name}", departments=[f"d{name}"])
    async with node("internal_module.mjs", gateways.url, f" Bearer {bearer}") as client:
        authenticated = await client.next("authenticated")
        assert authenticated["user_id"] == f"u{name}"
        assert f"dept:d{name}" in authenticated["rooms"]
        record = await scribe.publish(f"dept:d{name}", type="task.assigned", title="Test", message="*This* is a test")
        new = await client.next("notification:new")
        assert (new["id"], new["title"], new["content"]) == (str(record.id), "Test", "*This* is a test")
        assert "<em>This</em>" in new["content_html"]
        assert new["sender"].keys() == {"id", "username", "display_name"}
        await client.do("ping")
        await client.next("pong")
        await read(gateways, bearer, f"/{record.id}/read")
        seen = await client.next("notification:read")
        assert (seen["recipient_id"], seen["notification_id"]) == (new["recipient_id"], str(record.id))
        await read(gateways, bearer, f"/{record.id}/unread")
        assert (await client.next("notification:unread"))["recipient_id"] == new["recipient_id"]
        await read(gateways, bearer, "/read-all", "POST")
        assert (await client.next("notifications:read_all"))["marked_count"] == 1


async def test_what_the_internal_module_missed_comes_as_one_batch(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    for title in ("first", "second"):
        await scribe.write(f"user:u{name}", title=title)
    async with node("internal_module.mjs", gateways.url, token(f"u{name}")) as client:
        batch = await client.next("notification:batch")
        assert batch == {"titles": ["first", "second"], "unread_count": 2}


async def test_the_internal_module_is_refused_by_two_events(gateways: Gateways) -> None:
    async with node("internal_module.mjs", gateways.url, "nonsense") as client:
        await client.next("connect")
        assert (await client.next("auth_error"))["code"] == "INVALID_TOKEN"
        assert await client.next("connect_error") == "Authentication failed"


async def test_collaboration_s_client(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer = token(f"u{name}", tenantId=name)
    await scribe.tenant(name)
    async with node("collaboration.mjs", gateways.url, bearer) as client:
        await client.next("connect")
        await client.next("connected")
        texts = {"title": "Task assigned", "message": "Write the tests"}
        related = {"type": "task", "id": "t1"}
        record = await scribe.publish(f"user:u{name}", tenant=name, type="task.assigned", related=related, **texts)
        row = await client.next("notification:new")
        assert (row["id"], row["tenantId"], row["userId"]) == (str(record.id), name, f"u{name}")
        assert (row["type"], row["isRead"], row["deliveredVia"]) == ("TASK_ASSIGNED", False, [])
        assert (row["relatedType"], row["relatedId"]) == ("task", "t1")
        await read(gateways, bearer, f"/{record.id}/read")
        assert (await client.next("notification:read"))["notificationId"] == str(record.id)
        await scribe.publish(f"user:u{name}", tenant=name)
        await client.next("notification:new")
        await read(gateways, bearer, "/read-all", "POST")
        await client.next("notification:all-read")


async def test_collaboration_just_disconnects(gateways: Gateways) -> None:
    async with node("collaboration.mjs", gateways.url, "nonsense") as client:
        assert await client.next("disconnect") == "io server disconnect"


@pytest.mark.parametrize("way", ["auth", "header", "query"])
async def test_the_marketplace_s_client(gateways: Gateways, scribe: Scribe, name: str, way: str) -> None:
    bearer = token(f"u{name}", role="PROFESSIONAL", sessionId=f"s{name}")
    async with node("marketplace.mjs", gateways.url, bearer, way) as client:
        connected = await client.next("connected")
        assert {f"user:u{name}", "role:PROFESSIONAL"} <= set(connected["rooms"])
        assert connected["sessionId"] == f"s{name}"
        shown = {}
        for kind in ("booking.created", "nearby-job"):
            await scribe.publish(f"user:u{name}", event="service.event", type=kind, name=kind, data={"n": 1})
            shown[kind] = await client.next(kind)
            assert shown[kind]["data"] == {"n": 1}
        notification = shown["nearby-job"]["id"]
        await client.do("ping")
        await client.next("pong")
        await _emit(client, "markNotificationRead", {"notificationId": notification})
        assert (await client.next("notificationRead"))["notificationId"] == notification
        await _emit(client, "markNotificationRead", {})
        assert (await client.next("error"))["field"] == "notificationId"
        await client.do("joinRoom", "user:somebody-else")
        assert (await client.next("error"))["code"] == "FORBIDDEN"
        await _emit(client, "getPresence", None)
        assert "total" in await client.next("presenceStats")


async def test_the_marketplace_is_told_why_it_is_refused(gateways: Gateways) -> None:
    async with node("marketplace.mjs", gateways.url, "nonsense", "auth") as client:
        error = await client.next("error")
        assert (error["code"], error["message"]) == ("UNAUTHORIZED", "Invalid or expired JWT token")
        assert await client.next("disconnect") == "io server disconnect"


async def _emit(client: NodeClient, *said: object) -> None:
    await client.do("emit", json.dumps(said))
