"""Sockets on `/`: who comes in, by which door, and what they are shown (F0-5, F0-7, S9, S22)."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.gateway.clients import Client, client, token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.scribe import Scribe
from tests.integration.gateway.transports import environment

__all__ = ["environment"]

pytestmark = pytest.mark.covers("F0-5", "F0-7", "S9", "S22", "F2-4")


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_person_is_told_their_rooms_and_shown_what_comes(
    gateways: Gateways, scribe: Scribe, name: str, transport: str
) -> None:
    bearer = token(f"u{name}", orgId=f"o{name}", departments=["d"], role="editor")
    async with client(gateways.url, bearer, transport=transport) as one:
        connected = await one.event("connected")
        assert connected["userId"] == f"u{name}"
        assert connected["rooms"] == [f"user:u{name}", "dept:d", "role:editor", f"org:o{name}", "tenant", "broadcast"]
        assert set(connected["position"]) == {*connected["rooms"], "state"}
        await scribe.publish(f"user:u{name}", data={"n": 1})
        await scribe.publish(f"org:o{name}", data={"n": 2})
        await one.shows(1, 2)


async def test_an_agent_listens_to_its_own_room(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with client(gateways.url, token(agentId=f"a{name}")) as one:
        connected = await one.event("connected")
        assert connected["agentId"] == f"a{name}"
        assert f"agent:a{name}" in connected["rooms"]
        metadata = {"timestamp": "2025-10-17T10:00:00Z", "agentId": f"a{name}", "orgId": "o", "userId": "u"}
        await scribe.publish(f"agent:a{name}", event="agent.event", name="thinking", metadata=metadata, data={"n": 1})
        shown = await one.event("agent.event")
        assert shown["name"] == "thinking"
        assert shown["metadata"]["agentId"] == f"a{name}"


async def test_the_token_may_come_by_three_doors(gateways: Gateways, name: str) -> None:
    bearer = token(f"u{name}")
    for options in (
        {"auth": {"token": f"  Bearer {bearer} "}},
        {"headers": {"Authorization": f"Bearer {bearer}"}},
        {"query": f"?token={bearer}"},
        {"auth": {"token": bearer}, "headers": {"Authorization": "Bearer nonsense"}},
    ):
        one = await Client(gateways.url).connect(**options)
        assert (await one.event("connected"))["userId"] == f"u{name}"
        await one.io.disconnect()


@pytest.mark.parametrize("bearer", ["", "nonsense", token("late", lifetime=-60)], ids=["none", "wrong", "expired"])
async def test_a_refusal_says_why_and_ends(gateways: Gateways, bearer: str) -> None:
    one = await Client(gateways.url).connect(auth={"token": bearer})
    error = await one.event("error")
    assert error["code"] == "UNAUTHORIZED"
    assert error["message"] == "Invalid or expired JWT token"
    await asyncio.wait_for(one.disconnected.wait(), 5)
    assert not one.of("connected")


async def test_a_socket_ends_when_its_token_does(gateways: Gateways, name: str) -> None:
    # Verification allows five seconds of leeway, and so does the end.
    async with client(gateways.url, token(f"u{name}", lifetime=-3.5)) as one:
        assert (await one.event("error"))["code"] == "UNAUTHORIZED"
        await asyncio.wait_for(one.disconnected.wait(), 10)


async def test_a_new_token_keeps_the_socket_and_changes_its_rooms(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    old = token(f"u{name}", lifetime=-3, orgIds=[f"a{name}"])
    async with client(gateways.url, old) as one, client(gateways.url, old) as witness:
        await one.io.emit("authenticate", {"token": token(f"u{name}", orgIds=[f"b{name}"])})
        await one.until(lambda: len(one.of("connected")) == 2)
        rooms = one.of("connected")[1]["rooms"]
        assert f"org:b{name}" in rooms
        assert f"org:a{name}" not in rooms
        await scribe.publish(f"org:a{name}", data={"n": 1})
        await scribe.publish(f"org:b{name}", data={"n": 2})
        await one.shows(2)
        await asyncio.wait_for(witness.disconnected.wait(), 10)  # the end of the first token
        assert not one.disconnected.is_set()


async def test_the_token_of_somebody_else_is_refused(gateways: Gateways, name: str) -> None:
    async with client(gateways.url, token(f"u{name}")) as one:
        for other in (token("somebody"), token(f"u{name}", tenantId="other"), "nonsense"):
            one.told.clear()
            await one.io.emit("authenticate", {"token": other})
            assert (await one.event("error"))["code"] == "UNAUTHORIZED"
        assert not one.disconnected.is_set()


async def test_rooms_of_another_tenant_are_not_heard(gateways: Gateways, scribe: Scribe, name: str) -> None:
    await scribe.tenant(f"t{name}", f"x{name}")
    async with (
        client(gateways.url, token("u", tenantId=f"t{name}", orgId="o")) as here,
        client(gateways.url, token("u", tenantId=f"x{name}", orgId="o")) as there,
    ):
        for number, room in enumerate(("user:u", "org:o", "tenant", "broadcast")):
            await scribe.publish(room, tenant=f"t{name}", data={"n": number})
        await here.until(lambda: len(here.shown()) == 4)
        await scribe.publish("user:u", tenant=f"x{name}", data={"n": 9})
        await there.shows(9)


async def test_a_person_is_shown_a_notification_once(gateways: Gateways, scribe: Scribe, name: str) -> None:
    me, colleague = token(f"u{name}", orgId=f"o{name}"), token(f"c{name}", orgId=f"o{name}")
    async with client(gateways.url, me) as mine, client(gateways.other, colleague) as theirs:
        await scribe.publish(f"user:u{name}", f"org:o{name}", data={"n": 1})
        await scribe.publish(f"org:o{name}", data={"n": 2})
        await theirs.shows(1, 2)
        await mine.until(lambda: len(mine.shown()) == 2)
        assert sorted(mine.shown()) == [1, 2]
        places = {p["data"]["n"]: p["position"]["room"] for p in mine.of("system.notification")}
        assert places == {1: f"user:u{name}", 2: f"org:o{name}"}


async def test_a_person_hears_a_room_from_joining_to_leaving(gateways: Gateways, scribe: Scribe, name: str) -> None:
    room, user = f"org:o{name}", f"u{name}"
    async with client(gateways.url, token(user)) as one:
        await scribe.publish(room, data={"n": 1})
        await scribe.members(room, user)
        await scribe.publish(room, data={"n": 2})  # nobody listens yet: it is found when the version is compared
        await one.shows(2)
        await scribe.publish(room, data={"n": 3})
        await one.shows(2, 3)
        await scribe.write(room, data={"n": 4})
        await scribe.dismiss(room, user)
        await one.until(lambda: one.shown() == [2, 3, 4])  # written before the end of the membership
        await scribe.publish(room, data={"n": 5})
        await scribe.publish(f"user:{user}", data={"n": 6})
        await one.shows(2, 3, 4, 6)
