"""Two tenants whose people, rooms, resources and sessions have the same names: whatever is sent, nothing crosses."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from itertools import product
from typing import Any

import httpx
import pytest

from libs.schemas.records import Ephemeral
from tests.integration.gateway.clients import Client, client, eventually, token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F2-4", "S15", "F3-1", "F3-2", "F3-6")

USERS = ("u", "v")
IDS = ("1", "2")
ROOMS = ("user:u", "user:v", "session:s", "org:o", "role:r", "tenant", "res:doc:1", "res:doc:2")
SEED = 20261121


async def act(member: Client, choice: random.Random, tenant: str) -> None:
    """Something that a client may do, with names that the other tenant has too."""
    resource = choice.choice(IDS)
    place = {"resourceType": "doc", "resourceId": resource}
    match choice.randrange(6):
        case 0:
            await member.say("joinRoom", {"room": f"doc:{resource}"})
        case 1:
            await member.say("leaveRoom", {"room": f"doc:{resource}"})
        case 2:
            await member.say("typing:start", place)
        case 3:
            await member.say("typing:stop", place)
        case 4:
            await member.say("ephemeral", {"room": f"doc:{resource}", "event": "mark", "payload": {"tenant": tenant}})
        case 5:
            status = choice.choice(["ONLINE", "AWAY", "BUSY"])
            await member.say("presence:update", {"status": status, "customStatus": tenant})


def strangers(member: Client, tenant: str) -> list[Any]:
    """What the client was told that bears the mark of another tenant."""
    marks = [payload.get("tenant") for payload in member.of("mark")]
    customs = [payload["customStatus"] for payload in member.of("presence:updated") if payload["customStatus"]]
    return [mark for mark in marks + customs if mark != tenant]


async def test_nothing_crosses(gateways: Gateways, scribe: Scribe, name: str) -> None:
    choice = random.Random(SEED)
    tenants = (f"a{name}", f"b{name}")
    await scribe.tenant(*tenants)
    members: dict[tuple[str, str], Client] = {}
    async with AsyncExitStack() as stack:
        for tenant in tenants:
            await scribe.policy(tenant, "doc", members=["tenant"], client_events=True)
            await scribe.members("org:o", *USERS, tenant=tenant)
            for user, url in zip(USERS, (gateways.url, gateways.other), strict=True):
                bearer = token(user, tenantId=tenant, sessionId="s", roles=["r"])
                one = await stack.enter_async_context(client(url, bearer, namespace="/events"))
                members[tenant, user] = one
        for _ in range(150):
            tenant, user = choice.choice(list(members))
            await act(members[tenant, user], choice, tenant)
            if choice.random() < 0.3:
                rooms = tuple(choice.sample(ROOMS, choice.randint(1, 3)))
                await scribe.tell(Ephemeral(tenant=tenant, rooms=rooms, event="mark", payload={"tenant": tenant}))
        for tenant, user in product(tenants, USERS):
            last = Ephemeral(tenant=tenant, rooms=(f"user:{user}",), event="mark", payload={"tenant": tenant, "n": 1})
            await scribe.tell(last)
            one = members[tenant, user]
            await one.until(lambda one=one: any("n" in payload for payload in one.of("mark")))  # type: ignore[misc]
        assert {key: strangers(one, key[0]) for key, one in members.items()} == {key: [] for key in members}
        assert all(len(one.of("mark")) > 1 for one in members.values())


async def test_who_types_or_comes_in_one_tenant_is_not_told_in_the_other(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    here, there = f"a{name}", f"b{name}"
    await scribe.tenant(here, there)
    for tenant in (here, there):
        await scribe.policy(tenant, "doc", members=["tenant"])
    async with (
        client(gateways.url, token("w", tenantId=there), namespace="/events") as other,
        client(gateways.url, token("w", tenantId=here), namespace="/events") as mine,
    ):
        for member in (mine, other):
            await member.ask("joinRoom", {"room": "doc:1"})
        async with client(gateways.other, token("only-here", tenantId=here), namespace="/events") as one:
            await one.say("typing:start", {"resourceType": "doc", "resourceId": "1"})
            await mine.event("typing:user-started")
            await mine.until(lambda: {"userId": "only-here"} in mine.of("user:online"))
        await mine.until(lambda: {"userId": "only-here"} in mine.of("user:offline"))
        assert not other.of("typing:user-started")
        assert {"userId": "only-here"} not in other.of("user:online") + other.of("user:offline")
        stats = await other.ask("getPresence", {"userIds": ["only-here", "w"]})
        assert [person["userId"] for person in stats["users"]] == ["w"]


async def test_pages_of_other_origins_may_ask_with_credentials(gateways: Gateways) -> None:
    origin = {"Origin": "https://app.example.test"}

    async def asked() -> bool:
        async with httpx.AsyncClient() as http:
            answer = await http.options(
                f"{gateways.url}/api/v1/presence", headers=origin | {"Access-Control-Request-Method": "GET"}
            )
        headers = answer.headers
        assert headers["access-control-allow-credentials"] == "true"
        return bool(headers["access-control-allow-origin"] == origin["Origin"])

    assert await eventually(asked, "the answer to a preflight")
