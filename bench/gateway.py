"""The gateway as it runs in production, fed as the router feeds it, beside other servers of sockets.

5,000 people with tokens of their own, each in their rooms and with a position; what they are shown is in the logs of
PostgreSQL and comes by Kafka. The gateway runs on one core, the load client on the others.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx

from bench import peers
from bench.emitting import FIRST
from bench.figures import Figures, Size, results
from bench.gateway_feed import Feed
from bench.load import AUTH, Load, compiled, load, missing, tokens
from bench.result import Result, cpu_seconds, resident_megabytes
from devstack.layout import Layout, counts
from devstack.processes import ServiceProcess
from devstack.stack import Stack

_SIZE = Size(connections=5_000, paced=80, flat_out=600, unicasts=20_000, slow_paced=20)
_BURST = 5_000  # unicasts handed over at once
_ROUNDS = 10  # seconds: what is done every few seconds has been done, and what it needs once is nobody's memory
_ROOM = "org:bench"
_ENVIRONMENT = {"CARILLON_LOG_LEVEL": "WARNING", "CARILLON_CONNECTIONS_PER_ADDRESS": "0"}


async def measure() -> list[Result]:
    """One result for each work."""
    if missing():
        print(missing(), file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(counts(ingests=0, routers=0, deliveries=0), environment=_ENVIRONMENT)
        stack = Stack(Path(folder), layout)
        await asyncio.to_thread(stack.start)
        try:
            ours = await _figures(stack, Path(folder))
        finally:
            await asyncio.to_thread(stack.stop)
        beside = {name: those async for name, those in peers.measured(await compiled(Path(folder)))}
    return results("gateway", ours, beside)


async def _figures(stack: Stack, folder: Path) -> Figures:
    gateway = stack.services["gateway-1"]
    _pin(gateway)
    neighbours, port = stack.neighbours, gateway.url.rpartition(":")[2]
    people = await tokens(folder, _SIZE.connections, "bench")
    async with (
        Feed(neighbours.postgres_dsn, neighbours.kafka_bootstrap) as feed,
        load(await compiled(folder), port, AUTH, people, "connected") as client,
    ):
        return await Run(gateway, feed, client).figures()


class Run:
    """One after the other, all works."""

    def __init__(self, gateway: ServiceProcess, feed: Feed, client: Load) -> None:
        self._gateway, self._feed, self._client = gateway, feed, client

    async def figures(self) -> Figures:
        """All of them."""
        accepts, memory = await self._open()
        # Before anything is shown: the load client keeps the position that it was told when it came in.
        storm = await self._storm()
        everybody = [_ROOM]
        _, (_, _, p50, p99, _, _) = await self._work(everybody * _SIZE.slow_paced, 5)
        paced, _ = await self._work(everybody * _SIZE.paced, 20)
        flat_out, heard = await self._work(everybody * _SIZE.flat_out, 0)
        rng = random.Random(1)
        people = [f"user:u{rng.randrange(_SIZE.connections)}" for _ in range(_SIZE.unicasts)]
        unicast = await self._unicast(people)
        await self._client.stop()
        leaving = await self._worst_lag()
        joined = heard[0] / heard[5]
        return Figures(accepts, memory, paced, flat_out, joined, unicast, p50, p99, leaving, storm)

    async def _open(self) -> tuple[float, float]:
        pid = _pid(self._gateway)
        await self._client.ask(f"open {FIRST}")
        await asyncio.sleep(_ROUNDS)
        cpu, memory = cpu_seconds(pid), resident_megabytes(pid)
        more = _SIZE.connections - FIRST
        await self._client.ask(f"open {more}")
        accepts = more / (cpu_seconds(pid) - cpu)
        await asyncio.sleep(2)
        return accepts, (resident_megabytes(pid) - memory) * 1000 / more

    async def _work(self, rooms: Sequence[str], rate: float) -> tuple[float, list[float]]:
        """Deliveries in a CPU second, and what the client says."""
        pid = _pid(self._gateway)
        total = len(rooms) * (_SIZE.connections if rooms[0] == _ROOM else 1)
        await self._client.ask(f"expect {total}")
        before = cpu_seconds(pid)
        await self._feed.publish(rooms, rate)
        answer = await self._client.answer()
        return total / (cpu_seconds(pid) - before), answer

    async def _unicast(self, rooms: Sequence[str]) -> float:
        """Deliveries in a CPU second, in bursts: the database writes slower than the gateway delivers."""
        pid, used = _pid(self._gateway), 0.0
        for at in range(0, len(rooms), _BURST):
            burst = rooms[at : at + _BURST]
            await self._client.ask(f"expect {len(burst)}")
            records = await self._feed.written(burst)
            before = cpu_seconds(pid)
            await self._feed.hand_over(records, burst)
            await self._client.answer()
            used += cpu_seconds(pid) - before
        return len(rooms) / used

    async def _storm(self) -> float:
        """Seconds from the first that is accepted after a crash until everybody is in again."""
        await self._client.ask("storm")
        self._gateway.kill()
        self._gateway.spawn()
        _pin(self._gateway)
        back: float = (await self._client.answer())[0]
        return back

    async def _worst_lag(self) -> float:
        """The loop's, in ms, while everybody leaves at once."""
        worst = 0.0
        async with httpx.AsyncClient() as http:
            for _ in range(15):
                text = (await http.get(f"{self._gateway.url}/metrics")).text
                line = next(line for line in text.splitlines() if line.startswith("carillon_gateway_loop_lag_seconds "))
                worst = max(worst, float(line.split()[1]))
                await asyncio.sleep(0.2)
        return worst * 1000


def _pid(process: ServiceProcess) -> int:
    assert process.pid is not None
    return process.pid


def _pin(process: ServiceProcess) -> None:
    """To the first core, where there are several: the load client has the others."""
    os.sched_setaffinity(_pid(process), sorted(os.sched_getaffinity(0))[:1])
