"""SIGKILL of delivery workers at random, two at a time: on each channel nothing is lost and its promise is kept.

`CARILLON_CHAOS_DELIVERIES` says how many deliveries each channel has: 100 by default, so that all take a few minutes.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import psutil
import pytest

from devstack.layout import Layout, counts
from devstack.processes import ServiceProcess
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import Stack
from libs.runtime.clock import iso, utc_now
from tests.chaos.receivers import RECEIVERS, SETTINGS, Receiver
from tests.chaos.stream import close_producers, publish
from tests.chaos.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.covers("F2-5", "F2-7", "S11", "B3", "B9")]

COUNT = int(os.environ.get("CARILLON_CHAOS_DELIVERIES", "100"))
KILLS = max(4, COUNT // 250)
AT_ONCE = 16  # calls of a worker
ENVIRONMENT = SETTINGS | {
    "CARILLON_DELIVERY_CONCURRENCY": str(AT_ONCE),
    "CARILLON_DELIVERY_LEASE": "8",
    "CARILLON_DELIVERY_GRACE": "1",  # the due-scans of both workers take part as well
    "CARILLON_DELIVERY_SCAN_INTERVAL": "0.2",
    "CARILLON_DELIVERY_RETRY_BASE": "0.2",
    "CARILLON_DELIVERY_RETRY_CAP": "1",
    "CARILLON_DELIVERY_REST_CAP": "1",
}
_USERS = """
insert into users (tenant, user_id, email, phone, display_name)
select 'default', $1 || '-' || n, $1 || '-' || n || '@example.test', '+1500' || (5550000 + n), 'Person ' || n
from generate_series(0, $2::int - 1) n
"""
_SENDING = "select id from deliveries where channel = $1 and state = 'sending'"
_LEDGER = """
select d.id, d.state, substring(n.title from 'number (\\d+)')::int as number,
       array(select a.reason from delivery_attempts a where a.tenant = d.tenant and a.delivery = d.id) as reasons
from deliveries d join notifications n on n.tenant = d.tenant and n.id = d.notification
where d.channel = $1
"""
_SERVING = "select pid from pg_stat_activity where client_port = any($1)"
_LEFT = "select count(*) from pg_stat_activity where pid = any($1)"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Ingest, a router and two workers for all channels."""
    with SmtpPeer() as mail:
        layout = Layout(counts(gateways=0, deliveries=2), environment=ENVIRONMENT | smtp_environment(mail.port))
        with Stack(tmp_path_factory.mktemp("world"), layout) as stack:
            yield World(stack, mail)


@pytest.fixture
async def db(world: World) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(world.stack.neighbours.postgres_dsn)
    yield connection
    await connection.close()


@dataclass
class Killing:
    """Ends workers at random; `in_flight` are the deliveries whose call ran, or was about to, at one of the kills."""

    world: World
    db: asyncpg.Connection
    channel: str
    receiver: Receiver
    in_flight: set[UUID] = field(default_factory=set)
    kills: int = 0

    async def run(self) -> None:
        """As often as `KILLS`, spread over the deliveries."""
        chance = random.Random()
        for kill in range(KILLS):
            wanted = (kill + chance.random()) * COUNT * 0.9 / KILLS
            await self.world.eventually(lambda least=wanted: self._received(least), f"{wanted:.0f} on {self.channel}")
            await self._kill(chance.choice(self.world.stack.services.of("delivery")))

    async def _received(self, least: float) -> bool:
        return len(set(self.receiver.got())) >= least

    async def _kill(self, worker: ServiceProcess) -> None:
        assert worker.running, "it ended by itself"
        served_by = await self._backends(worker)
        await asyncio.to_thread(worker.kill)
        self.kills += 1
        # What it last asked the database for may still be done: only then is it known what it left behind.
        await self.world.eventually(lambda: self._gone(served_by), "the connections of a dead worker to end")
        self.in_flight |= {row["id"] for row in await self.db.fetch(_SENDING, self.channel)}
        worker.spawn()

    async def _backends(self, worker: ServiceProcess) -> list[int]:
        """The database's processes that serve a worker."""
        of_worker = psutil.Process(worker.pid).net_connections()
        ports = [
            c.laddr.port
            for c in of_worker
            if c.status == psutil.CONN_ESTABLISHED and c.raddr.port == self.world.stack.postgres.port
        ]
        return [row["pid"] for row in await self.db.fetch(_SERVING, ports)]

    async def _gone(self, served_by: list[int]) -> bool:
        return not await self.db.fetchval(_LEFT, served_by)


@pytest.mark.parametrize("channel", list(RECEIVERS))
async def test_sigkill_of_workers(world: World, db: asyncpg.Connection, channel: str) -> None:
    await db.execute(_USERS, channel, COUNT)
    async with RECEIVERS[channel](db, world.mail) as receiver:
        await _tell(world, receiver)
        killing = Killing(world, db, channel, receiver)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(publish(world.bootstrap, "noti", _events(channel), rate=500.0))
                both.create_task(killing.run())
        finally:
            await close_producers()
        await world.eventually(lambda: _settled(db, channel), f"every delivery on {channel} to end")
        ledger = await db.fetch(_LEDGER, channel)
        await _verify(channel, ledger, receiver, killing)
    await asyncio.to_thread(world.audit)


async def _verify(channel: str, ledger: list[asyncpg.Record], receiver: Receiver, killing: Killing) -> None:
    in_flight = killing.in_flight
    ids = {row["number"]: row["id"] for row in ledger}
    copies = Counter(ids[what] if isinstance(what, int) else what for what in receiver.got())
    states = {row["id"]: row["state"] for row in ledger}
    unknown = {row["id"] for row in ledger if row["state"] == "unknown"}
    assert set(ids) == set(range(COUNT))
    assert set(copies) <= set(states), "a stable id is the delivery's"
    assert set(states) - unknown <= set(copies), "lost"
    assert {id_ for id_, state in states.items() if state != "sent"} == unknown
    assert unknown <= in_flight
    assert all(row["reasons"] == ["lease-expired"] for row in ledger if row["state"] == "unknown")
    in_doubt = sum(row["reasons"].count("lease-expired") for row in ledger)
    assert in_doubt <= killing.kills * AT_ONCE, "a worker held more than its calls"
    repeated = {id_ for id_, n in copies.items() if n > 1}
    assert repeated <= in_flight
    if channel == "sms":
        assert not repeated, "a text is sent at most once when nobody knows"
    else:
        assert not unknown, "what may be repeated is"
    assert in_flight, "no kill met a call: the test has shown nothing"


async def _tell(world: World, receiver: Receiver) -> None:
    """Workers that know where the receiver listens."""
    for worker in world.stack.services.of("delivery"):
        if receiver.settings.items() - worker.environment.items():
            worker.environment |= receiver.settings
            await asyncio.to_thread(worker.restart)


async def _settled(db: asyncpg.Connection, channel: str) -> bool:
    query = """
    select count(*) = $2 from deliveries
    where channel = $1 and (state = 'sent' or state = 'unknown' and next_attempt_at is null)"""
    return bool(await db.fetchval(query, channel, COUNT))


def _events(channel: str) -> list[dict[str, object]]:
    return [
        {
            "event": "system.notification",
            "data": {
                "id": f"{channel}-{n}",
                "title": f"{channel} number {n}",
                "message": "Something happened.",
                "channels": [channel],
                "recipients": {"userIds": [f"{channel}-{n}"]},
                "metadata": {"timestamp": iso(utc_now())},
            },
        }
        for n in range(COUNT)
    ]
