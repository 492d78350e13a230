"""A topic from end to end: who has subscribed is told on sockets, in the inbox and by mail, and nobody else (B2)."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from devstack.layout import Layout, counts
from devstack.services import Services
from devstack.smtp_peer import SmtpPeer, smtp_environment
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.http import bearer

pytestmark = pytest.mark.covers("B2")

TOPICS = "/api/v1/subscriptions"


async def test_who_has_subscribed_is_told_everywhere_and_nobody_else(
    start_services: Callable[[Layout], Services],
) -> None:
    boss = bearer("boss", role="admin", roles=["admin"])
    with SmtpPeer() as mail:
        environment = smtp_environment(mail.port) | {"CARILLON_CHANNELS": "email"}
        services = start_services(Layout(counts(), environment=environment))
        url = services.url("gateway")
        async with (
            httpx.AsyncClient(base_url=url, timeout=20) as http,
            client(url, token("ada")) as ada,
            client(url, token("bob")) as bob,
        ):
            for person in ("ada", "bob", "eve"):
                path, address = f"/api/v1/directory/users/{person}", f"{person}@example.org"
                assert (await http.put(path, headers=boss, json={"email": address})).is_success
            for person in ("ada", "eve"):
                answer = await http.post(TOPICS, headers=bearer(person), json={"topic": "releases"})
                assert answer.status_code == 201, answer.text

            await _publish(http, boss, "First")
            assert (await ada.event("service.alert"))["title"] == "First"
            await eventually(lambda: _mailed(mail, 2), "mail to both subscribers")

            assert (await http.delete(f"{TOPICS}/releases", headers=bearer("eve"))).status_code == 204
            await _publish(http, boss, "Second")
            await eventually(lambda: _mailed(mail, 3), "mail to the one who is left")
            reached = sorted(to for letter in mail.messages for to in letter.recipients)
            assert reached == ["ada@example.org", "ada@example.org", "eve@example.org"]
            titles = {person: await _inbox(http, person) for person in ("ada", "bob", "eve")}
            assert titles == {"ada": ["Second", "First"], "bob": [], "eve": ["First"]}
            assert "service.alert" not in [event for event, _ in bob.told]


async def _publish(http: httpx.AsyncClient, boss: dict[str, str], title: str) -> None:
    body = {"type": "billing.alert", "title": title, "message": "…", "recipients": {"topics": ["releases"]}}
    answer = await http.post("/api/v1/notifications", headers=boss, json=body)
    assert answer.status_code == 202, answer.text


async def _mailed(mail: SmtpPeer, count: int) -> bool:
    return len(mail.messages) >= count


async def _inbox(http: httpx.AsyncClient, person: str) -> list[str]:
    answer = await http.get("/api/v1/notifications", headers=bearer(person))
    return [item["title"] for item in answer.json()["items"]]
