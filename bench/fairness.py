"""How late a tenant's notifications become when another one publishes a hundred times its share (B10).

Both publish to `noti`. Everything has worked for a while before it is measured, and the broker is compiled as in
production. The quiet tenant's latency from there to its sockets is measured alone, then beside the other.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import socketio
from aiokafka import AIOKafkaProducer

from bench.fairness_events import USERS, publish
from bench.result import Result
from devstack.layout import DEVELOPMENT_SECRET, Layout
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import Stack
from libs.auth.tokens import issue
from libs.runtime.clock import utc_now

SHARE, TIMES = 20, 100  # events a second, and how many times that the loud tenant publishes
SECONDS, WARM = 40, 20
QUIET, LOUD = "quiet", "loud"
#: Milliseconds from publishing to what ingest calls accepted (when its batch began), and from there to the room's log.
_STAGES = """
select percentile_cont($2) within group (order by extract(epoch from n.accepted_at) - (n.data->>'sent')::float8) * 1000,
  percentile_cont($2) within group (order by extract(epoch from l.at - n.accepted_at)) * 1000
from notifications n join room_log l on l.tenant = n.tenant and l.notification = n.id
where n.tenant = 'quiet' and n.data->>'run' = $1"""
_ROUTED = "select sum(accepted) from progress where consumer = 'router'"
_LIMITS = {"CARILLON_TENANT_RATE": str(SHARE), "CARILLON_TENANT_BURST": str(2 * SHARE)}


async def measure() -> list[Result]:
    """p50 and p99 of the quiet tenant beside the loud one, next to what they are alone; the goal is twice the p99."""
    with tempfile.TemporaryDirectory() as folder, SmtpPeer() as mail:
        stack = Stack(Path(folder), Layout(environment=smtp_environment(mail.port) | _LIMITS))
        stack.kafka.peak = True
        await asyncio.to_thread(stack.start)
        try:
            return await _measure(stack)
        finally:
            await asyncio.to_thread(stack.stop)


async def _measure(stack: Stack) -> list[Result]:
    connection = await asyncpg.connect(stack.neighbours.postgres_dsn)
    await connection.execute("insert into tenants (tenant) values ($1), ($2)", QUIET, LOUD)
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap, acks="all") as producer:
        audience = Audience()
        clients = [await _client(stack, n, audience) for n in range(USERS)]
        warm = await _flood(stack.kafka.bootstrap, WARM)
        assert await warm.wait() == 0
        await _routed(connection, SHARE * TIMES * WARM)
        await audience.told(producer, "warm", 2)
        alone = await audience.told(producer, "alone", SECONDS)
        flood = await _flood(stack.kafka.bootstrap, SECONDS + 4)
        await asyncio.sleep(4)  # the diversion has its notice
        beside = await audience.told(producer, "beside", SECONDS)
        assert await flood.wait() == 0
        for client in clients:
            await client.disconnect()
    diverted = await connection.fetchval("select sum(accepted) from progress where topic like '%.bulk'")
    more = {
        "events of the loud tenant": float(SHARE * TIMES * (SECONDS + 4)),
        "of them routed by the bulk lane": float(diverted or 0),
    }
    stages = {share: await _stages(connection, share) for share in (0.5, 0.99)}
    await connection.close()
    return [
        Result(
            f"fairness {name} of a quiet tenant beside a loud one",
            _quantile(beside, share),
            "ms",
            None,
            {"alone": _quantile(alone, share)},
            2 * _quantile(alone, share) if share > 0.9 else None,
            more | stages[share],
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


async def _flood(bootstrap: str, seconds: int) -> asyncio.subprocess.Process:
    told = (LOUD, "flood", str(SHARE * TIMES), str(seconds))
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.fairness_events", bootstrap, *told)


async def _routed(connection: asyncpg.Connection, events: int) -> None:
    """Returns when the router has dealt with that many, in both lanes."""
    async with asyncio.timeout(120):
        while (await connection.fetchval(_ROUTED) or 0) < events:  # noqa: ASYNC110 - another process works
            await asyncio.sleep(0.1)


async def _stages(connection: asyncpg.Connection, share: float) -> dict[str, float]:
    """Where the quiet tenant's time goes."""
    found: dict[str, float] = {}
    for run in ("alone", "beside"):
        row = await connection.fetchrow(_STAGES, run, share)
        assert row is not None
        found |= {f"{run}, until accepted, ms": row[0], f"{run}, from there until written, ms": row[1]}
    return found


class Audience:
    """The quiet tenant's people. `_late` are latencies in ms by run."""

    def __init__(self) -> None:
        self._late: dict[str, list[float]] = {}
        self._done = asyncio.Event()
        self._wanted = 0

    def receive(self, payload: dict[str, Any]) -> None:
        """A notification has come to a socket."""
        late = self._late[payload["data"]["run"]]
        late.append((time.time() - payload["data"]["sent"]) * 1000)
        if len(late) >= self._wanted:
            self._done.set()

    async def told(self, producer: AIOKafkaProducer, run: str, seconds: int) -> list[float]:
        """Publishes at the tenant's share; the latencies when everything has come."""
        self._late[run], self._wanted = [], SHARE * seconds
        self._done.clear()
        await publish(producer, QUIET, run, SHARE, seconds)
        async with asyncio.timeout(60):
            await self._done.wait()
        return self._late[run]


async def _client(stack: Stack, number: int, audience: Audience) -> socketio.AsyncClient:
    client, connected = socketio.AsyncClient(), asyncio.Event()
    client.on("connected", lambda _data: connected.set())
    client.on("service.event", audience.receive)
    claims = {"sub": f"u{number}", "tenantId": QUIET}
    bearer = issue(claims, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(hours=1))
    await client.connect(stack.services.url("gateway"), auth={"token": bearer}, transports=["websocket"])
    await asyncio.wait_for(connected.wait(), 20)
    return client


def _quantile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000)[round(share * 1000) - 1]
