"""The feed: what no record brings is found, and whatever breaks is taken up again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from devstack.layout import Layout, counts
from devstack.services import Services
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("B9")


async def test_a_lost_last_entry_is_found_by_comparing_heads(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with client(gateways.url, token(f"u{name}")) as one:
        await scribe.write(f"user:u{name}", data={"n": 1})
        await one.shows(1)


async def test_a_gap_is_fetched_and_late_records_are_not_shown_twice(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    async with client(gateways.url, token(f"u{name}")) as one:
        late = [await scribe.write(f"user:u{name}", data={"n": number}) for number in range(3)]
        await scribe.publish(f"user:u{name}", data={"n": 3})
        await one.shows(0, 1, 2, 3)
        for record in late:
            await scribe.tell(record)
        await scribe.publish(f"user:u{name}", data={"n": 4})
        await one.shows(0, 1, 2, 3, 4)


async def test_records_in_the_wrong_order_are_shown_in_the_right_one(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    async with client(gateways.url, token(f"u{name}")) as one:
        records = [await scribe.write(f"user:u{name}", data={"n": number}) for number in range(4)]
        for record in reversed(records):
            await scribe.tell(record)
        await one.shows(0, 1, 2, 3)


async def test_a_log_that_begins_anew_is_to_be_fetched_anew(gateways: Gateways, scribe: Scribe, name: str) -> None:
    own = f"user:u{name}"
    async with client(gateways.url, token(f"u{name}")) as one:
        await one.event("resync")
        await scribe.pool.execute("update room_heads set epoch = epoch + 1 where room = $1", own)
        await one.until(lambda: [advice["reason"] for advice in one.of("resync")] == ["no-position", "epoch"])
        await scribe.publish(own, data={"n": 1})
        await one.shows(1)


async def test_interest_lost_in_a_crash_of_the_database_is_registered_again(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    own = f"user:u{name}"
    async with client(gateways.url, token(f"u{name}")) as one:
        await scribe.pool.execute("truncate room_interest")  # what a crash does to an unlogged table
        await scribe.publish(own, data={"n": 1})
        await one.shows(1)
        query = "select count(*) from room_interest where room = $1"
        await eventually(lambda: scribe.value(query, own), "the interest")


async def test_interest_ends_some_time_after_the_last_one_left(gateways: Gateways, scribe: Scribe, name: str) -> None:
    query = "select count(*) from room_interest where room = $1"
    own = f"user:u{name}"
    async with client(gateways.url, token(f"u{name}")), client(gateways.other, token(f"u{name}")):
        assert await scribe.value(query, own) == 2

    async def gone() -> bool:
        return bool(await scribe.value(query, own) == 0)

    await eventually(gone, "the end of the interest")


async def test_a_gateway_that_lost_its_lease_keeps_its_sockets_and_takes_another_slot(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    own = f"user:u{name}"
    async with client(gateways.url, token(f"u{name}")) as one:
        slot = await scribe.value("select slot from room_interest where room = $1", own)
        taken = "update gateway_slots set epoch = epoch + 1, holder = 'thief', lease_until = 'infinity' where slot = $1"
        await scribe.pool.execute(taken, slot)
        elsewhere = "select count(*) from room_interest where room = $1 and slot <> $2"
        await eventually(lambda: scribe.value(elsewhere, own, slot), "interest in another slot")
        await scribe.publish(own, data={"n": 1})
        await one.shows(1)
        assert not one.disconnected.is_set()


Start = Callable[[Layout], Services]


async def test_a_change_of_memberships_is_applied_at_once(start_services: Start, name: str) -> None:
    rarely = ENVIRONMENT | {"CARILLON_HEADS_INTERVAL": "3600"}
    layout = Layout(counts=counts(ingests=0, routers=0, deliveries=0), environment=rarely)
    services = await asyncio.to_thread(start_services, layout)
    neighbours, user, room = services.neighbours, f"u{name}", f"org:o{name}"
    async with (
        Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, neighbours.topic_prefix) as scribe,
        client(services.url("gateway"), token(user)) as one,
    ):
        await scribe.members(room, user)
        await scribe.write(room, data={"n": 1})
        await scribe.tell_membership(user)
        await one.shows(1)
        await scribe.publish(room, data={"n": 2})
        await one.shows(1, 2)
        await scribe.dismiss(room, user)
        await scribe.tell_membership(user)
        await scribe.publish(room, data={"n": 3})
        await scribe.publish(f"user:{user}", data={"n": 4})
        await one.shows(1, 2, 4)


async def test_a_graceful_stop_tells_clients_and_gives_the_slot_back(start_services: Start, name: str) -> None:
    services = await asyncio.to_thread(
        start_services, Layout(counts=counts(ingests=0, routers=0, deliveries=0), environment=ENVIRONMENT)
    )
    neighbours = services.neighbours
    async with (
        Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, neighbours.topic_prefix) as scribe,
        client(services.url("gateway"), token(f"u{name}")) as one,
        client(services.url("gateway"), token(f"p{name}"), transport="polling") as polling,
    ):
        assert await scribe.value("select count(*) from gateway_slots where holder is not null") == 1
        status = await asyncio.to_thread(services["gateway-1"].stop, 15)
        assert status == 0
        for socket in (one, polling):
            assert 500 <= (await socket.event("server.closing"))["reconnectInMs"] <= 1_001
            await asyncio.wait_for(socket.disconnected.wait(), 5)
        assert await scribe.value("select count(*) from gateway_slots where holder is not null") == 0
        assert await scribe.value("select count(*) from room_interest") == 0


async def test_an_expired_lease_is_taken_over_after_a_kill(start_services: Start, name: str) -> None:
    layout = Layout(
        counts=counts(ingests=0, routers=0, deliveries=0), environment=ENVIRONMENT | {"CARILLON_SLOT_LEASE": "1.5"}
    )
    services = await asyncio.to_thread(start_services, layout)
    neighbours = services.neighbours
    async with Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, neighbours.topic_prefix) as scribe:
        # All other slots are taken for good: the killed gateway's own is the only one to be had.
        await scribe.pool.execute(
            "insert into gateway_slots (slot, epoch, holder, lease_until) "
            "select s, 1, 'other', 'infinity' from generate_series(0, 15) s on conflict do nothing"
        )
        before: Any = await scribe.pool.fetchrow("select slot, epoch from gateway_slots where holder <> 'other'")
        services["gateway-1"].kill()
        await asyncio.to_thread(services["gateway-1"].start)
        after: Any = await scribe.pool.fetchrow("select slot, epoch from gateway_slots where holder <> 'other'")
        assert after["slot"] == before["slot"]
        assert after["epoch"] == before["epoch"] + 1
        async with client(services.url("gateway"), token(f"u{name}")) as one:
            await scribe.publish(f"user:u{name}", data={"n": 1})
            await one.shows(1)
