"""Presence and typing across gateways, as clients see them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from devstack.layout import Layout, counts
from devstack.services import Services
from tests.integration.gateway.clients import Client, client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F3-1", "F3-2", "F4-1", "S19")

Start = Callable[[Layout], Services]


@pytest.fixture
async def tenant(scribe: Scribe, name: str) -> str:
    await scribe.tenant(f"t{name}")
    return f"t{name}"


def of(one: Client, event: str, user: str) -> list[dict[str, Any]]:
    return [payload for payload in one.of(event) if payload.get("userId", payload.get("user_id")) == user]


async def presence(url: str, bearer: str, query: str = "") -> Any:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{url}/api/v1/presence{query}", headers={"Authorization": f"Bearer {bearer}"})
        return answer.raise_for_status().json()


async def test_people_come_and_go_once_whatever_their_sockets_do(gateways: Gateways, tenant: str) -> None:
    async with client(gateways.url, token("watcher", tenantId=tenant), namespace="/events") as watcher:
        async with client(gateways.other, token("u", tenantId=tenant), namespace="/events"):
            await watcher.until(lambda: of(watcher, "user:online", "u"))
            async with client(gateways.url, token("u", tenantId=tenant), namespace="/ws/notifications"):
                pass
        # The last socket has gone; another one comes to another gateway within the time of grace.
        async with client(gateways.url, token("u", tenantId=tenant)) as again:
            await again.say("presence:update", {"status": "AWAY", "customStatus": "lunch"})
            await watcher.until(lambda: of(watcher, "presence:updated", "u"))
            assert not of(watcher, "user:offline", "u")
        await watcher.until(lambda: of(watcher, "user:offline", "u"))
        assert of(watcher, "user:online", "u") == [{"userId": "u"}]
        assert of(watcher, "user:offline", "u") == [{"userId": "u"}]
        changed = {"userId": "u", "status": "AWAY", "customStatus": "lunch"}
        assert of(watcher, "presence:updated", "u") == [changed]


@pytest.mark.parametrize(
    ("namespace", "online", "updated"),
    [
        ("/", "user.online", "presence.updated"),
        ("/notifications", "user:online", "presence:updated"),
        ("/ws/notifications", "userOnline", "presenceUpdated"),
    ],
)
async def test_every_namespace_tells_of_it_in_its_own_words(
    gateways: Gateways, tenant: str, namespace: str, online: str, updated: str
) -> None:
    async with (
        client(gateways.url, token("watcher", tenantId=tenant), namespace=namespace) as watcher,
        client(gateways.other, token("u", tenantId=tenant)) as other,
    ):
        await watcher.until(lambda: of(watcher, online, "u"))
        await other.say("presence:update", {"status": "BUSY"})
        await watcher.until(lambda: of(watcher, updated, "u"))
        assert of(watcher, updated, "u")[0]["status"] == "BUSY"


async def test_the_numbers_are_for_the_tenant_and_sessions_for_its_administrators(
    gateways: Gateways, scribe: Scribe, tenant: str
) -> None:
    await scribe.tenant(f"{tenant}-other")
    admin = token("boss", tenantId=tenant, roles=["ADMIN"], sessionId="s0")
    async with (
        client(gateways.url, admin, namespace="/ws/notifications") as boss,
        client(gateways.url, token("u", tenantId=tenant, roles=["CUSTOMER"], sessionId="s1")) as one,
        client(gateways.other, token("u", tenantId=tenant, roles=["CUSTOMER"], sessionId="s2")),
        client(gateways.other, token("x", tenantId=f"{tenant}-other", roles=["CUSTOMER"])),
    ):

        async def all_there() -> Any:
            found = await presence(gateways.other, admin)
            return found if found["total"] == 2 and found["socketsPerUser"] == {"boss": 1, "u": 2} else None

        found = await eventually(all_there, "everybody's presence")
        assert found["byRole"] == {"ADMIN": 1, "CUSTOMER": 1}
        assert [(person["userId"], person["status"]) for person in found["users"]] == [
            ("boss", "ONLINE"),
            ("u", "ONLINE"),
        ]
        assert found["sessions"] == [
            {"userId": "boss", "sessionId": "s0"},
            {"userId": "u", "sessionId": "s1"},
            {"userId": "u", "sessionId": "s2"},
        ]
        await boss.say("getPresence")
        assert (await boss.event("presenceStats"))["socketsPerUser"] == {"boss": 1, "u": 2}
        mine = await one.ask("getPresence", {"userIds": ["u", "x", "nobody"]})
        assert [person["userId"] for person in mine["users"]] == ["u"]
        assert "sessions" not in mine
        assert "socketsPerUser" not in mine
        asked = await presence(gateways.url, token("u", tenantId=tenant), "?userIds=boss,x")
        assert [person["userId"] for person in asked["users"]] == ["boss"]


async def test_agents_have_no_presence(gateways: Gateways, tenant: str) -> None:
    async with client(gateways.url, token(agentId="a", tenantId=tenant)) as agent:
        assert (await agent.ask("presence:update", {"status": "AWAY"}))["code"] == "NOT_A_PERSON"


async def test_a_storm_of_comings_is_told_at_a_bounded_rate(gateways: Gateways, scribe: Scribe, tenant: str) -> None:
    async with client(gateways.url, token("watcher", tenantId=tenant), namespace="/events") as watcher:
        await watcher.until(lambda: of(watcher, "user:online", "watcher"))
        begun = asyncio.get_running_loop().time()
        await scribe.pool.execute(
            "insert into presence (tenant, user_id, online, version, changed_at) "
            "select $1, 'p' || n, true, 1, clock_timestamp() from generate_series(1, 60) n",
            tenant,
        )
        # No record tells of them: changes are looked for as well.
        await watcher.until(lambda: len(watcher.of("user:online")) >= 61)
        assert asyncio.get_running_loop().time() - begun > 2.0  # 60 frames at 20 a second, the first 20 at once
        assert len(watcher.of("user:online")) == 61


async def test_the_people_of_a_killed_gateway_are_offline_when_its_lease_is_over(
    start_services: Start, name: str
) -> None:
    layout = Layout(counts=counts(ingests=0, routers=0, gateways=2, deliveries=0), environment=ENVIRONMENT)
    services = await asyncio.to_thread(start_services, layout)
    async with (
        client(services.url("gateway", 0), token("watcher"), namespace="/events") as watcher,
        client(services.url("gateway", 1), token("u")),
        client(services.url("gateway", 1), token("both")),
        client(services.url("gateway", 0), token("both")),
    ):
        await watcher.until(lambda: of(watcher, "user:online", "u") and of(watcher, "user:online", "both"))
        services["gateway-2"].kill()
        await watcher.until(lambda: of(watcher, "user:offline", "u"))
        assert not of(watcher, "user:offline", "both")


async def test_of_large_tenants_presence_is_only_asked_for(start_services: Start, name: str) -> None:
    environment = ENVIRONMENT | {"CARILLON_PRESENCE_MEMBERS": "2"}
    layout = Layout(counts=counts(ingests=0, routers=0, gateways=1, deliveries=0), environment=environment)
    services = await asyncio.to_thread(start_services, layout)
    neighbours, url = services.neighbours, services.url("gateway")
    async with Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, neighbours.topic_prefix) as scribe:
        await scribe.members("tenant", "a", "b", "c")
        async with (
            client(url, token("a"), namespace="/events") as one,
            client(url, token("b"), namespace="/events") as other,
        ):

            async def both() -> bool:
                return bool((await presence(url, token("a")))["total"] == 2)

            await eventually(both, "both to be online")
            await other.say("presence:update", {"status": "BUSY"})

            async def busy() -> bool:
                found = await one.ask("getPresence", {"userIds": ["b"]})
                return bool(found["users"][0]["status"] == "BUSY")

            await eventually(busy, "the status to be seen by whoever asks")
            assert not of(one, "user:online", "b")
            assert not of(one, "presence:updated", "b")


async def test_typing_is_told_to_the_others_on_every_gateway(gateways: Gateways, scribe: Scribe, tenant: str) -> None:
    await scribe.policy(tenant, "task", members=["tenant"])
    there = {"resourceType": "task", "resourceId": "7"}
    async with (
        client(gateways.url, token("a", tenantId=tenant), namespace="/events") as one,
        client(gateways.other, token("b", tenantId=tenant), namespace="/events") as other,
        client(gateways.other, token("c", tenantId=tenant), namespace="/events") as outside,
    ):
        for member in (one, other):
            await member.ask("joinRoom", {"room": "task:7"})
        await one.say("typing:start", there)
        assert await other.event("typing:user-started") == {"userId": "a"} | there
        await one.say("typing:stop", there)
        assert await other.event("typing:user-stopped") == {"userId": "a"}
        # Without a join: it is the policy that allows it.
        await outside.say("typing:start", there)
        await one.until(lambda: of(one, "typing:user-started", "c"))
        # The stop never comes.
        await one.until(lambda: of(one, "typing:user-stopped", "c"))
        assert not of(one, "typing:user-started", "a")
        assert not outside.of("typing:user-started")
        assert (await one.ask("typing:start", {"resourceType": "doc", "resourceId": "7"}))["code"] == "FORBIDDEN"
        assert (await one.ask("typing:start", {"resourceType": "user", "resourceId": "b"}))["code"] == "INVALID_ROOM"


async def test_whoever_leaves_has_stopped_typing(gateways: Gateways, scribe: Scribe, tenant: str) -> None:
    await scribe.policy(tenant, "task", members=["tenant"])
    there = {"resourceType": "task", "resourceId": "7"}
    async with client(gateways.url, token("a", tenantId=tenant)) as one:
        await one.ask("joinRoom", {"room": "task:7"})
        begun = asyncio.get_running_loop().time()
        async with client(gateways.other, token("b", tenantId=tenant)) as other:
            await other.say("typing:start", there)
            await one.event("typing:user-started")
        await one.event("typing:user-stopped")
        assert asyncio.get_running_loop().time() - begun < 1.5  # it did not have to be made up for
