"""Neighbours that go away and come back: sockets stay, nothing is lost, and what cannot be served is said so."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import shutil
import time
from collections.abc import Callable

import httpx
import pytest
import socketio

from devstack.layout import Layout, counts
from devstack.stack import Stack
from tests.contract.node_client import node
from tests.integration.gateway.clients import Client, client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT
from tests.integration.gateway.scribe import Scribe

pytestmark = [pytest.mark.covers("B9", "F1-1", "S9"), pytest.mark.chaos]


@pytest.fixture
async def stack(start_stack: Callable[[Layout], Stack]) -> Stack:
    layout = Layout(counts=counts(ingests=0, routers=0, deliveries=0), environment=ENVIRONMENT)
    return await asyncio.to_thread(start_stack, layout)


async def status(url: str, path: str) -> int:
    async with httpx.AsyncClient(base_url=url, timeout=10) as http:
        return (await http.get(path, headers={"Authorization": f"Bearer {token('u')}"})).status_code


async def _passed(since: float, seconds: float) -> bool:
    return time.monotonic() - since > seconds


async def test_while_kafka_is_away_heads_bring_what_comes(stack: Stack) -> None:
    url, neighbours = stack.services.url("gateway"), stack.neighbours
    async with (
        Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, "") as scribe,
        client(url, token("u")) as one,
    ):
        await scribe.publish("user:u", data={"n": 1})
        await one.shows(1)
        await asyncio.to_thread(stack.kafka.stop)
        await scribe.write("user:u", data={"n": 2})
        await one.shows(1, 2)
        async with client(url, token("v")) as late:  # sockets still come in
            await scribe.write("user:v", data={"n": 3})
            await late.shows(3)
        assert await status(url, "/api/v1/notifications") == 200
        assert await status(url, "/healthz") == 200
        await asyncio.to_thread(stack.kafka.start)
        await scribe.publish("user:u", data={"n": 4})
        await one.shows(1, 2, 4)
        assert not one.disconnected.is_set()


async def test_ephemeral_events_of_the_time_that_kafka_was_away_are_not_told_afterwards(
    start_stack: Callable[[Layout], Stack],
) -> None:
    layout = Layout(counts=counts(ingests=0, routers=0, gateways=2, deliveries=0), environment=ENVIRONMENT)
    stack = await asyncio.to_thread(start_stack, layout)
    one_url, other_url = stack.services.url("gateway"), stack.services.url("gateway", 1)
    async with (
        Scribe(stack.neighbours.postgres_dsn, stack.neighbours.kafka_bootstrap, "") as scribe,
        client(one_url, token("a")) as one,
        client(other_url, token("b")) as other,
    ):
        await scribe.policy("default", "doc", members=["tenant"], client_events=True)

        async def says(text: str) -> None:
            await one.ask("ephemeral", {"room": "doc:1", "event": "doc:edited", "payload": {"text": text}})

        async def joined(member: Client) -> bool:
            return "code" not in await member.ask("joinRoom", {"room": "doc:1"})

        async def heard() -> bool:
            await says("again")
            return any(edit["text"] == "again" for edit in other.of("doc:edited"))

        for member in (one, other):
            await eventually(functools.partial(joined, member), "the policy")
        await eventually(heard, "an edit")
        await asyncio.to_thread(stack.kafka.stop)
        other.told.clear()
        await says("on its way already")  # the broker may take it when it is back
        await says("lost")
        said_at = time.monotonic()
        await eventually(lambda: _passed(said_at, 6), "its moment to be over")
        await asyncio.to_thread(stack.kafka.start)
        await eventually(heard, "edits as before", deadline=60)
        assert "lost" not in [edit["text"] for edit in other.of("doc:edited")]
        assert not one.disconnected.is_set()


async def test_while_postgresql_is_away_sockets_stay_and_nobody_new_comes_in(stack: Stack) -> None:
    url, neighbours = stack.services.url("gateway"), stack.neighbours
    async with client(url, token("u")) as one, contextlib.AsyncExitStack() as open_sockets:
        await one.event("resync")
        await asyncio.to_thread(stack.postgres.kill)
        away_since = time.monotonic()
        refused = await Client(url).connect(auth={"token": token("v")})
        error = await refused.event("error")
        assert error["code"] == "SERVER_ERROR"
        assert error["retryInMs"] > 0
        await asyncio.wait_for(refused.disconnected.wait(), 5)
        internal = Client(url, "/notifications")
        with pytest.raises(socketio.exceptions.ConnectionError):  # it was not let in, so it may try again
            await internal.connect(auth={"token": token("v")}, retry=False)
        assert internal.told == [("connect_error", {"message": "Server error"})]
        module = await open_sockets.enter_async_context(node("internal_module.mjs", url, token("w")))
        for _ in range(2):
            assert await module.next("connect_error") == "Server error"
        assert await status(url, "/api/v1/notifications") == 503
        assert await status(url, "/readyz") == 503
        assert await status(url, "/healthz") == 200
        await eventually(lambda: _passed(away_since, float(ENVIRONMENT["CARILLON_SLOT_LEASE"]) + 1), "the lease to end")
        await asyncio.to_thread(stack.postgres.start)

        async def ready() -> bool:
            return await status(url, "/readyz") == 200

        await eventually(ready, "readiness")
        assert (await module.next("authenticated"))["user_id"] == "w"  # its own retries brought it in
        async with Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, "") as scribe:
            await scribe.publish("user:u", data={"n": 1})
            await one.shows(1)
            query = "select count(*) from room_interest where room = 'user:u'"
            await eventually(lambda: scribe.value(query), "the interest, which a crash empties")
        assert not one.disconnected.is_set()


@pytest.mark.parametrize("away", ["kafka", "postgres", "both"])
async def test_a_stop_is_prompt_whoever_is_away(stack: Stack, away: str) -> None:
    async with client(stack.services.url("gateway"), token("u")) as one:
        if away != "postgres":
            await asyncio.to_thread(stack.kafka.kill)
        if away != "kafka":
            await asyncio.to_thread(stack.postgres.kill)
        began = time.monotonic()
        assert await asyncio.to_thread(stack.services["gateway-1"].stop, 20) == 0
        assert time.monotonic() - began < 12
        await one.event("server.closing")


async def test_a_partition_that_was_made_anew_is_read_from_its_beginning_on(stack: Stack) -> None:
    url, neighbours = stack.services.url("gateway"), stack.neighbours
    async with (
        Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, "") as scribe,
        client(url, token("u")) as one,
    ):
        for number in range(5):
            await scribe.publish("user:u", data={"n": number})
        await one.shows(*range(5))
        position = one.position
    await asyncio.to_thread(stack.kafka.stop)
    await asyncio.to_thread(shutil.rmtree, stack.kafka.data_dir)
    await asyncio.to_thread(stack.kafka.start)
    await asyncio.to_thread(stack.services.prepare)
    async with (
        client(url, token("u"), position) as one,
        Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, "") as scribe,
    ):
        for number in range(5, 8):
            await scribe.publish("user:u", data={"n": number})
            await one.showed(number - 4)
        assert one.shown() == [5, 6, 7]
