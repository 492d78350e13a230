"""Latency from producing to `noti` until the socket has the event, with everything durable, at a paced rate.

Beside it the broker's own share: producing to a topic and consuming from it, at the same rate in the same run.
The broker is compiled as in production, and everything has worked for half a minute before it is measured.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.load import Load, compiled, load, missing
from bench.pacing import paced
from bench.result import Result
from devstack.layout import DEVELOPMENT_SECRET, Layout
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import Stack
from libs.auth.tokens import issue
from libs.kafka.topics import ensure_topics
from libs.runtime.clock import iso, utc_now
from libs.schemas.topics import Topic

CLIENTS, SECONDS, WARM = 20, 10, 30
_HOP = Topic("bench.hop", 1, "none")
RATES = {500: (20.0, 60.0), 1000: (25.0, 100.0)}  # events a second: goals for p50 and p99 in ms


async def measure() -> list[Result]:
    """p50 and p99 at each rate, in milliseconds."""
    if missing():
        print(missing(), file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder, SmtpPeer() as mail:
        stack = Stack(Path(folder), Layout(environment=smtp_environment(mail.port)))
        stack.kafka.peak = True
        await asyncio.to_thread(stack.start)
        try:
            return [result for rate in RATES for result in await _at_rate(stack, rate, Path(folder))]
        finally:
            await asyncio.to_thread(stack.stop)


async def _at_rate(stack: Stack, rate: int, folder: Path) -> list[Result]:
    hop = await _kafka_hop(stack.kafka.bootstrap, rate)
    road = await _road(stack, rate, folder)
    return [
        Result(
            f"latency noti to socket {name} at {rate}/s",
            seen,
            "ms",
            None,
            {"one Kafka hop": _quantile(hop, share)},
            goal,
            {"events": float(rate * SECONDS)},
        )
        for name, share, seen, goal in zip(("p50", "p99"), (0.5, 0.99), road, RATES[rate], strict=True)
    ]


async def _road(stack: Stack, rate: int, folder: Path) -> list[float]:
    """p50 and p99 in ms. The load client takes little of the processor from what is measured."""
    tokens, port = folder / "tokens", stack.services.url("gateway").rpartition(":")[2]
    await asyncio.to_thread(tokens.write_text, "\n".join(map(_token, range(CLIENTS))))
    async with (
        load(await compiled(folder), port, '{"token":"%t"}', tokens, "connected") as client,
        AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap, acks="all") as producer,
    ):
        await client.ask(f"open {CLIENTS}")
        # The first events pay for plans, caches, connections and the broker's compiler; a running system does not.
        await _told(client, producer, rate, WARM)
        return await _told(client, producer, rate, SECONDS)


async def _told(client: Load, producer: AIOKafkaProducer, rate: int, seconds: int) -> list[float]:
    await client.ask(f"expect {rate * seconds}")
    await paced(rate, rate * seconds, lambda n: producer.send("noti", _event(n)))
    return (await client.answer())[2:4]


def _token(number: int) -> str:
    claims = {"sub": f"bench-{number}"}
    return issue(claims, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(hours=1))


def _event(n: int) -> bytes:
    return orjson.dumps(
        {
            "event": "service.event",
            "data": {
                "name": "shop.order.updated",
                "metadata": {"timestamp": iso(utc_now())},
                "data": {"t": time.time_ns() // 1000, "text": "x" * 250},
                "recipients": {"userIds": [f"bench-{n % CLIENTS}"]},
            },
        }
    )


async def _kafka_hop(bootstrap: str, rate: int) -> list[float]:
    """Latencies of one durable hop through a topic that nobody else reads, in ms."""
    total = rate * 3
    latencies: list[float] = []
    await ensure_topics(bootstrap, extra=(_HOP,))
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(_HOP.name, 0)])
        await consumer.seek_to_end()

        async def consume() -> None:
            while len(latencies) < total:
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    latencies.extend((time.time() - float(record.value)) * 1000 for record in records)

        reading = asyncio.create_task(consume())
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            await paced(rate, total, lambda _n: producer.send(_HOP.name, repr(time.time()).encode(), partition=0))
        await asyncio.wait_for(reading, 30)
    finally:
        await consumer.stop()
    return latencies


def _quantile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000)[round(share * 1000) - 1]
