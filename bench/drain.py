"""A gateway stops with 5,000 people connected, while they are published to: they go on at another one (B9).

Nobody may miss anything or be shown it twice. Half of them heed `server.closing`; the others, like a plain Socket.IO
client, come back after they were closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx

from bench.gateway_feed import Feed
from bench.load import AUTH, Load, compiled, load, missing, tokens
from bench.result import Result
from devstack.layout import Layout, counts
from devstack.processes import ServiceProcess
from devstack.stack import Stack

_PEOPLE, _ORG = 5_000, "bench"
_RATE, _ALONE = 5, 4  # times a second that everybody is published to, and people who are told something of their own
_BEFORE = _AFTER = 3.0  # seconds of it before the stop, and when everybody is in again
_WINDOW = 5.0  # seconds over which sockets are closed
_PATIENCE = 60.0  # seconds
_ENVIRONMENT = {
    "CARILLON_LOG_LEVEL": "WARNING",
    "CARILLON_CONNECTIONS_PER_ADDRESS": "0",
    "CARILLON_DRAIN_WINDOW": str(_WINDOW),
}


class Tally(NamedTuple):
    """What the load client says; see there. `back` and `closing` are seconds."""

    inside: float
    tries: float
    shown: float
    lost: float
    repeated: float
    late: float
    refused: float
    back: float
    closing: float


async def measure() -> list[Result]:
    """How long until everybody was in again. Raises RuntimeError when anything was not as promised."""
    if missing():
        print(missing(), file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        only_gateways = counts(ingests=0, routers=0, deliveries=0, gateways=2)
        stack = Stack(Path(folder), Layout(only_gateways, environment=_ENVIRONMENT))
        await asyncio.to_thread(stack.start)
        try:
            return [await _drained(stack, Path(folder))]
        finally:
            await asyncio.to_thread(stack.stop)


async def _drained(stack: Stack, folder: Path) -> Result:
    neighbours, (first, second) = stack.neighbours, stack.services.of("gateway")
    people, over = await tokens(folder, _PEOPLE, _ORG), asyncio.Event()
    async with (
        Feed(neighbours.postgres_dsn, neighbours.kafka_bootstrap) as feed,
        load(await compiled(folder), _port(first), AUTH, people, "connected") as client,
        asyncio.TaskGroup() as tasks,
    ):
        await client.ask(f"open {_PEOPLE}")
        await client.ask(f"move {_port(second)}")
        lags = [tasks.create_task(_lag(gateway.url, over)) for gateway in (first, second)]
        publishing = tasks.create_task(_publish(feed, over))
        await asyncio.sleep(_BEFORE)
        began = time.monotonic()
        status = await asyncio.to_thread(first.stop)
        took = time.monotonic() - began
        await _until(client, lambda tally: tally.inside == _PEOPLE)
        await asyncio.sleep(_AFTER)
        over.set()
        published = await publishing
        tally = await _until(client, lambda tally: tally.shown >= published)
    _check(tally, published, status)
    lag = max(task.result() for task in lags)
    more = {"stop": took, "closed over": tally.closing, "longest lag of a loop": lag, "handshakes": tally.tries}
    pauses = {"the pauses alone": _WINDOW + 1.5}  # of who is closed last, and comes back as a plain client does
    return Result(f"drain: {_PEOPLE:,} in again elsewhere", tally.back, "s", None, pauses, None, more)


async def _publish(feed: Feed, over: asyncio.Event) -> int:
    """Until it is over; how much is to be shown, to all clients together."""
    dice, number = random.Random(1), 0
    while not over.is_set():
        due = time.monotonic() + 1 / _RATE
        await feed.publish([f"org:{_ORG}", *(f"user:u{dice.randrange(_PEOPLE)}" for _ in range(_ALONE))])
        number += 1
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return number * (_PEOPLE + _ALONE)


async def _lag(url: str, over: asyncio.Event) -> float:
    """The longest that a gateway took to answer, in seconds: its loop was away for that long."""
    worst = 0.0
    async with httpx.AsyncClient(timeout=_PATIENCE) as http:
        while not over.is_set():
            asked = time.monotonic()
            with contextlib.suppress(httpx.HTTPError):  # it has stopped
                await http.get(f"{url}/healthz")
                worst = max(worst, time.monotonic() - asked)
            await asyncio.sleep(0.02)
    return worst


async def _until(client: Load, done: Callable[[Tally], bool]) -> Tally:
    """The first tally that is so, or after a while the last, whatever it is."""
    end = time.monotonic() + _PATIENCE
    while True:
        tally = Tally(*await client.ask("tally"))
        if done(tally) or time.monotonic() > end:
            return tally
        await asyncio.sleep(0.1)


def _check(tally: Tally, published: int, status: int | None) -> None:
    amiss = (tally.lost, tally.repeated, tally.late, tally.refused) != (0, 0, 0, 0)
    if amiss or (tally.inside, tally.shown) != (_PEOPLE, published):
        raise RuntimeError(f"of {published} to be shown: {tally}")
    if status != 0:
        raise RuntimeError(f"the gateway ended with {status}")
    if not _WINDOW / 2 < tally.closing < 2 * _WINDOW:
        raise RuntimeError(f"sockets were closed over {tally.closing:.1f} s")


def _port(gateway: ServiceProcess) -> str:
    return gateway.url.rpartition(":")[2]
