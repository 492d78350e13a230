"""A day's load on one machine: 10,000 people connected, notifications at ten times the rate of a million a day (F2-9).

Every notification is published to `noti` and has to arrive at the sockets it is for; announcements to everybody are
among them. Afterwards the accounting must add up. `SOAK_SECONDS` says how long (60 by default).
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer

from bench.load import AUTH, Load, compiled, load, missing, tokens
from bench.pacing import paced
from bench.result import Result, cpu_seconds, resident_megabytes
from devstack.layout import Layout
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import Stack
from libs.runtime.clock import iso, utc_now

PEOPLE, A_DAY = 10_000, 1_000_000
RATE = 10 * A_DAY / 86_400  # notifications a second
_ANNOUNCED_EVERY = 10.0  # seconds between announcements to everybody
_ORG = "bench"
_LIMITS = {"CARILLON_CONNECTIONS_PER_ADDRESS": "0", "CARILLON_CONNECTIONS_PER_TENANT": "0"}


async def measure() -> list[Result]:
    """What was sustained, how late it was, and how the services grew. Raises RuntimeError when something was lost."""
    if missing():
        print(missing(), file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder, SmtpPeer() as mail:
        layout = Layout(environment=smtp_environment(mail.port) | _LIMITS | {"CARILLON_LOG_LEVEL": "WARNING"})
        stack = Stack(Path(folder), layout)
        await asyncio.to_thread(stack.start)
        try:
            return await _soak(stack, Path(folder))
        finally:
            await asyncio.to_thread(stack.stop)


async def _soak(stack: Stack, folder: Path) -> list[Result]:
    seconds = float(os.environ.get("SOAK_SECONDS", "60"))
    people, port = await tokens(folder, PEOPLE, _ORG), stack.services.url("gateway").rpartition(":")[2]
    async with load(await compiled(folder), port, AUTH, people, "connected") as client:
        await client.ask(f"open {PEOPLE}")
        await _published(stack, client, 10)  # what a process needs once is not growth
        before, used, began = _memory(stack), _cpu(stack), time.monotonic()
        count, (_, _, p50, p99, _, _) = await _published(stack, client, seconds)
        took, used = time.monotonic() - began, _cpu(stack) - used
        after = _memory(stack)
    await asyncio.to_thread(_audit, stack)
    growth = {f"{name} MB grown": after[name] - before[name] for name in after}
    more = {"people": float(PEOPLE), "seconds": took, "cores used": used / took} | growth
    return [
        Result("soak notifications", count / took * 86_400, "1/day", None, {"asked for": A_DAY}, A_DAY, more),
        Result("soak latency p50", p50, "ms"),
        Result("soak latency p99", p99, "ms"),
    ]


async def _published(stack: Stack, client: Load, seconds: float) -> tuple[int, list[float]]:
    """How many notifications were published, and what the client says when it has heard them all."""
    events = list(_events(round(RATE * seconds), seconds))
    await client.ask(f"expect {sum(heard for _, heard in events)}")
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap, acks="all") as producer:
        await paced(RATE, len(events), lambda n: producer.send("noti", _event(events[n][0])))
    return len(events), await client.answer()


def _events(count: int, seconds: float) -> Iterator[tuple[dict[str, list[str]], int]]:
    """(recipients, how many sockets hear it), in the order in which they are published."""
    dice = random.Random(1)
    announced = {round(n * _ANNOUNCED_EVERY * RATE) for n in range(1, int(seconds / _ANNOUNCED_EVERY) + 1)}
    for n in range(count):
        if n in announced:
            yield {"orgIds": [_ORG]}, PEOPLE
        else:
            yield {"userIds": [f"u{dice.randrange(PEOPLE)}"]}, 1


def _event(recipients: dict[str, list[str]]) -> bytes:
    return orjson.dumps(
        {
            "event": "service.event",
            "data": {
                "name": "shop.order.updated",
                "metadata": {"timestamp": iso(utc_now())},
                "data": {"t": time.time_ns() // 1000, "text": "x" * 200},
                "recipients": recipients,
            },
        }
    )


def _memory(stack: Stack) -> dict[str, float]:
    return {name: resident_megabytes(process.pid) for name, process in stack.services.items() if process.pid}


def _cpu(stack: Stack) -> float:
    pids = [process.pid for process in stack.services.values()] + [stack.kafka.pid, stack.postgres.pid]
    return sum(cpu_seconds(pid) for pid in pids if pid is not None)


def _audit(stack: Stack) -> None:
    command = [sys.executable, "-m", "cli.main", "audit", "--wait", "30"]
    environment = os.environ | stack.neighbours.environment()
    audit = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if audit.returncode:
        raise RuntimeError(f"something was lost:\n{audit.stdout}{audit.stderr}")
