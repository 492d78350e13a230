"""Latency from producing to `noti` until the socket has the event, with everything durable, at a paced rate.

Beside it the broker's own share: producing to a topic and consuming from it, at the same rate in the same run.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import socketio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.result import Result
from devstack.layout import DEVELOPMENT_SECRET, Layout
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import Stack
from libs.auth.tokens import issue
from libs.kafka.topics import ensure_topics
from libs.runtime.clock import iso, utc_now
from libs.schemas.topics import Topic

CLIENTS, SECONDS = 20, 10
_HOP = Topic("bench.hop", 1, "none")
RATES = {500: (20.0, 60.0), 1000: (25.0, 100.0)}  # events a second: goals for p50 and p99 in ms


async def measure() -> list[Result]:
    """p50 and p99 at each rate, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, SmtpPeer() as mail:
        stack = Stack(Path(folder), Layout(environment=smtp_environment(mail.port)))
        await asyncio.to_thread(stack.start)
        try:
            return [result for rate in RATES for result in await _at_rate(stack, rate)]
        finally:
            await asyncio.to_thread(stack.stop)


async def _at_rate(stack: Stack, rate: int) -> list[Result]:
    hop = await _kafka_hop(stack.kafka.bootstrap, rate)
    road = await _road(stack, rate)
    return [
        Result(
            f"latency noti to socket {name} at {rate}/s",
            _quantile(road, share),
            "ms",
            None,
            {"one Kafka hop": _quantile(hop, share)},
            goal,
            {"events": float(len(road))},
        )
        for name, share, goal in (("p50", 0.5, RATES[rate][0]), ("p99", 0.99, RATES[rate][1]))
    ]


async def _road(stack: Stack, rate: int) -> list[float]:
    latencies: list[float] = []
    done = asyncio.Event()
    total = rate * SECONDS

    def receive(payload: dict[str, Any]) -> None:
        if payload["data"]["run"] == rate:
            latencies.append((time.time() - payload["data"]["sent"]) * 1000)
            if len(latencies) >= total:
                done.set()

    clients = [await _client(stack, f"bench-{n}", receive) for n in range(CLIENTS)]
    try:
        async with AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap, acks="all") as producer:
            await _warm(producer)
            await _paced(rate, total, lambda n: producer.send("noti", _event(n, rate)))
        async with asyncio.timeout(60):
            await done.wait()
    finally:
        for client in clients:
            await client.disconnect()
    return latencies


async def _warm(producer: AIOKafkaProducer) -> None:
    # The first events pay for plans, caches and connections; they are not what a running system costs.
    for n in range(200):
        await producer.send("noti", _event(n, 0))
    await producer.flush()
    await asyncio.sleep(2)


async def _client(stack: Stack, user: str, receive: Callable[[dict[str, Any]], None]) -> socketio.AsyncClient:
    client, connected = socketio.AsyncClient(), asyncio.Event()
    client.on("connected", lambda _data: connected.set())
    client.on("service.event", receive)
    bearer = issue({"sub": user}, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(hours=1))
    await client.connect(stack.services.url("gateway"), auth={"token": bearer}, transports=["websocket"])
    await asyncio.wait_for(connected.wait(), 20)
    return client


def _event(n: int, run: int) -> bytes:
    return orjson.dumps(
        {
            "event": "service.event",
            "data": {
                "name": "shop.order.updated",
                "metadata": {"timestamp": iso(utc_now())},
                "data": {"run": run, "sent": time.time(), "text": "x" * 250},
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
            await _paced(rate, total, lambda _n: producer.send(_HOP.name, repr(time.time()).encode(), partition=0))
        await asyncio.wait_for(reading, 30)
    finally:
        await consumer.stop()
    return latencies


async def _paced(rate: int, total: int, send: Callable[[int], Awaitable[object]]) -> None:
    began = time.monotonic()
    for n in range(total):
        await send(n)
        ahead = began + (n + 1) / rate - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)


def _quantile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000)[round(share * 1000) - 1]
