"""Rooms that clients join: who may, on every gateway and in every namespace, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.ports import free_port
from libs.auth import grants
from libs.http.server import serving
from libs.outbound.signing import signature
from libs.runtime.clock import utc_now
from libs.schemas.records import Ephemeral
from tests.integration.gateway.clients import Client, client, token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("S15", "F1-3", "F4-1", "F3-6", "F2-4")

NAMESPACES = ("/", "/notifications", "/events", "/ws/notifications")
KEY = "shared-key-of-the-application-and-us"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def tenant(scribe: Scribe, name: str) -> str:
    await scribe.tenant(f"t{name}")
    return f"t{name}"


def ephemeral(tenant: str, *rooms: str, n: int = 1, event: str = "doc:edited") -> Ephemeral:
    return Ephemeral(tenant=tenant, rooms=rooms, event=event, payload={"n": n})


def numbers(one: Client) -> list[int]:
    return [payload["n"] for payload in one.of("doc:edited")]


async def code(one: Client, room: str, **more: Any) -> str | None:
    """The code of a refusal to join, or None when the room was joined."""
    answer = await one.ask("joinRoom", {"room": room, **more})
    return None if answer == {"room": room} else answer["code"]


@pytest.mark.parametrize("namespace", NAMESPACES)
async def test_members_join_and_hear_and_leave_in_every_namespace(
    gateways: Gateways, scribe: Scribe, tenant: str, namespace: str
) -> None:
    await scribe.policy(tenant, "doc", members=["org:{id}"])
    await scribe.members("org:o1", "u", tenant=tenant)
    async with (
        client(gateways.url, token("u", tenantId=tenant), namespace=namespace) as one,
        client(gateways.other, token("u", tenantId=tenant), namespace=namespace) as there,
    ):
        await scribe.tell(ephemeral(tenant, "res:doc:o1", n=0))  # nobody has joined yet
        await one.say("joinRoom", {"room": "doc:o1"})
        assert await one.event("joinedRoom") == {"room": "doc:o1"}
        await there.say("joinRoom", {"room": "doc:o1"})
        await there.event("joinedRoom")
        await scribe.tell(ephemeral(tenant, "res:doc:o1", "user:u", n=1))  # both rooms: heard once
        await one.until(lambda: numbers(one) == [1])
        await there.until(lambda: numbers(there) == [1])
        await one.say("leaveRoom", {"room": "doc:o1"})
        assert await one.event("leftRoom") == {"room": "doc:o1"}
        await scribe.tell(ephemeral(tenant, "res:doc:o1", n=2))
        await scribe.tell(ephemeral(tenant, "user:u", n=3))
        await one.until(lambda: 3 in numbers(one))
        assert numbers(one) == [1, 3]
        await there.until(lambda: numbers(there) == [1, 2, 3])
        assert (await one.ask("joinRoom", {"room": "doc:o2"}))["code"] == "FORBIDDEN"


async def test_without_permission_and_by_reserved_names_nobody_joins(
    gateways: Gateways, scribe: Scribe, tenant: str
) -> None:
    await scribe.policy(tenant, "doc", members=["role:editor"])
    async with client(gateways.url, token("u", tenantId=tenant, sessionId="s1", roles=["viewer"])) as one:
        refused = {
            "doc:1": "FORBIDDEN",
            "task:1": "FORBIDDEN",
            "lobby": "FORBIDDEN",
            "user:v": "FORBIDDEN",
            "agent:7": "FORBIDDEN",
            "org:x": "FORBIDDEN",
            "session:s2": "FORBIDDEN",
            "tenant:default": "FORBIDDEN",
            "res:doc:1": "INVALID_ROOM",
            "state:u": "INVALID_ROOM",
            "doc:": "INVALID_ROOM",
        }
        assert {room: await code(one, room) for room in refused} == refused
        for own in ("user:u", "role:viewer", "session:s1", "tenant", f"tenant:{tenant}", "broadcast"):
            assert await code(one, own) is None
        assert (await one.ask("leaveRoom", {"room": "user:u"}))["code"] == "OWN_ROOM"
        assert (await one.ask("leaveRoom", {"room": "doc:1"}))["code"] == "NOT_JOINED"
        await scribe.tell(ephemeral(tenant, "session:s2", n=1))
        await scribe.tell(ephemeral(tenant, "session:s1", n=2))
        await scribe.tell(ephemeral(tenant, "tenant", n=3))
        await one.until(lambda: 3 in numbers(one))
        assert numbers(one) == [2, 3]


async def test_a_group_that_was_left_is_silent_until_it_is_joined_again(
    gateways: Gateways, scribe: Scribe, tenant: str
) -> None:
    await scribe.members("org:o", "u", tenant=tenant)
    async with client(gateways.url, token("u", tenantId=tenant)) as one:
        assert await one.ask("leaveRoom", {"room": "org:o"}) == {"room": "org:o"}
        await scribe.publish("org:o", tenant=tenant, data={"n": 1})
        await scribe.tell(ephemeral(tenant, "org:o", n=1))
        await scribe.publish("user:u", tenant=tenant, data={"n": 2})
        await one.shows(2)
        assert await code(one, "org:o") is None
        await scribe.publish("org:o", tenant=tenant, data={"n": 3})
        await scribe.tell(ephemeral(tenant, "org:o", n=3))
        await one.shows(2, 3)
        await one.until(lambda: numbers(one) == [3])


async def test_a_socket_joins_so_many_rooms_and_no_more(gateways: Gateways, scribe: Scribe, tenant: str) -> None:
    await scribe.policy(tenant, "*", members=["tenant"])
    async with client(gateways.url, token("u", tenantId=tenant)) as one:
        answers = [await code(one, f"doc:{number}") for number in range(51)]
        assert answers == [None] * 50 + ["TOO_MANY_ROOMS"]
        assert await code(one, "doc:0") is None
        await one.ask("leaveRoom", {"room": "doc:0"})
        assert await code(one, "doc:50") is None


async def test_a_grant_lets_in_until_it_ends(gateways: Gateways, scribe: Scribe, tenant: str) -> None:
    await scribe.policy(tenant, "doc", grant_key=KEY)

    def grant(user: str, seconds: float) -> str:
        return grants.issue(tenant, user, ["doc:1"], KEY, now=utc_now(), lifetime=timedelta(seconds=seconds))

    async with client(gateways.url, token("u", tenantId=tenant)) as one:
        assert await code(one, "doc:1", grant=grant("v", 60)) == "FORBIDDEN"
        assert await code(one, "doc:2", grant=grant("u", 60)) == "FORBIDDEN"
        assert await code(one, "doc:1", grant=grant("u", 2)) is None
        await scribe.tell(ephemeral(tenant, "res:doc:1", n=1))
        await one.until(lambda: numbers(one) == [1])
        left = await one.event("leftRoom")
        assert left == {"room": "doc:1", "reason": "FORBIDDEN"}
        assert await code(one, "doc:1", grant=grant("u", 60)) is None


async def test_whoever_leaves_a_group_leaves_what_it_let_them_into(
    gateways: Gateways, scribe: Scribe, tenant: str
) -> None:
    await scribe.policy(tenant, "doc", members=["org:o"])
    await scribe.members("org:o", "told", "untold", tenant=tenant)
    async with (
        client(gateways.url, token("told", tenantId=tenant)) as told,
        client(gateways.url, token("untold", tenantId=tenant)) as untold,
    ):
        for one in (told, untold):
            assert await code(one, "doc:1") is None
        await scribe.dismiss("org:o", "told", "untold", tenant=tenant)
        await scribe.tell_membership("told", tenant=tenant)
        assert (await told.event("leftRoom"))["reason"] == "FORBIDDEN"
        # Nothing tells of this one: the versions of memberships are compared.
        assert (await untold.event("leftRoom"))["reason"] == "FORBIDDEN"
        await scribe.tell(ephemeral(tenant, "res:doc:1", n=1))
        await scribe.tell(ephemeral(tenant, "user:told", "user:untold", n=2))
        await told.until(lambda: numbers(told) == [2])
        await untold.until(lambda: numbers(untold) == [2])


class Application:
    """A tenant's application: says yes to resources whose id is in `open`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.open = {"1"}
        self.broken = False

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        headers = request.headers
        expected = signature(SECRET, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == expected
        if self.broken:
            return Response("?", 500)
        self.asked.append(orjson.loads(body))
        return JSONResponse({"allow": self.asked[-1]["resourceId"] in self.open, "ttl": 1})

    @asynccontextmanager
    async def at(self) -> AsyncIterator[str]:
        port = free_port()
        async with serving(Starlette(routes=[Route("/may", self.answer, methods=["POST"])]), "127.0.0.1", port):
            yield f"http://127.0.0.1:{port}/may"


async def test_the_application_is_asked_again_and_its_no_ends_a_seat(
    gateways: Gateways, scribe: Scribe, tenant: str
) -> None:
    application = Application()
    async with (
        application.at() as url,
        client(gateways.url, token("u", tenantId=tenant, sessionId="s", roles=["r"])) as one,
    ):
        await scribe.policy(tenant, "doc", url=url, secrets=[SECRET])
        answers = await asyncio.gather(*(code(one, f"doc:{number}") for number in (1, 1, 2)))
        assert answers == [None, None, "FORBIDDEN"]
        assert sorted(asked["resourceId"] for asked in application.asked) == ["1", "2"]  # one question for each
        question = {key: application.asked[0][key] for key in ("type", "tenantId", "userId", "sessionId", "roles")}
        assert question == {"type": "room.join", "tenantId": tenant, "userId": "u", "sessionId": "s", "roles": ["r"]}
        application.open.clear()
        assert (await one.event("leftRoom")) == {"room": "doc:1", "reason": "FORBIDDEN"}


async def test_while_the_application_is_silent_nobody_comes_in_and_nobody_goes_at_once(
    gateways: Gateways, scribe: Scribe, tenant: str
) -> None:
    application = Application()
    async with application.at() as url, client(gateways.url, token("u", tenantId=tenant)) as one:
        await scribe.policy(tenant, "doc", url=url, secrets=[SECRET])
        await scribe.policy(tenant, "inside", url="http://10.0.0.1/may", secrets=[SECRET])
        assert await code(one, "doc:1") is None
        application.broken = True
        assert await code(one, "doc:3") == "POLICY_UNAVAILABLE"
        assert await code(one, "inside:1") == "POLICY_UNAVAILABLE"  # a private network that is not allowed
        assert (await one.event("leftRoom")) == {"room": "doc:1", "reason": "POLICY_UNAVAILABLE"}


async def test_those_inside_send_each_other_events_where_the_policy_allows_it(
    gateways: Gateways, scribe: Scribe, tenant: str
) -> None:
    await scribe.policy(tenant, "doc", members=["tenant"], client_events=True)
    await scribe.policy(tenant, "task", members=["tenant"])
    async with (
        client(gateways.url, token("a", tenantId=tenant), namespace="/events") as one,
        client(gateways.other, token("b", tenantId=tenant)) as other,
    ):
        for member in (one, other):
            assert await code(member, "doc:1") is None
            assert await code(member, "task:1") is None
        cursor = {"room": "doc:1", "event": "doc:edited", "payload": {"n": 7, "userId": "forged"}}
        await one.say("ephemeral", cursor)
        assert await other.event("doc:edited") == {"n": 7, "userId": "a"}
        assert not one.of("doc:edited")
        refusals = {
            "NOT_JOINED": {"room": "doc:2", "event": "x:y"},
            "FORBIDDEN": {"room": "task:1", "event": "x:y"},
            "RESERVED_EVENT": {"room": "doc:1", "event": "notification:new"},
            "PAYLOAD_TOO_LARGE": {"room": "doc:1", "event": "x:y", "payload": {"x": "y" * 17_000}},
            "INVALID_ARGUMENT": {"room": "doc:1", "event": "x:y", "payload": []},
        }
        for expected, message in refusals.items():
            assert (await one.ask("ephemeral", message))["code"] == expected
        for number in range(60):
            await one.say("ephemeral", cursor | {"payload": {"n": number}})
        await one.until(lambda: any(error["code"] == "RATE_LIMITED" for error in one.of("error")))
