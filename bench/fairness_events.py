"""Publishes a tenant's events to `noti` at a rate; by itself it is the loud tenant of bench/fairness.py.

`python -m bench.fairness_events BOOTSTRAP TENANT RUN RATE SECONDS`: a process of its own, so that what it does is not
in the latencies of the others.
"""

from __future__ import annotations

import sys
import time

import orjson
import uvloop
from aiokafka import AIOKafkaProducer

from bench.pacing import paced
from libs.runtime.clock import iso, utc_now

USERS = 5


async def publish(
    producer: AIOKafkaProducer, tenant: str, run: str, rate: int, seconds: int, *, together: int = 1
) -> None:
    """Returns when all have been handed to the producer, `together` at a time."""

    async def send(turn: int) -> None:
        for n in range(turn * together, (turn + 1) * together):
            await producer.send("noti", _event(tenant, run, n))

    await paced(rate / together, rate * seconds // together, send)


def _event(tenant: str, run: str, n: int) -> bytes:
    data = {
        "name": "shop.order.updated",
        "metadata": {"timestamp": iso(utc_now()), "tenantId": tenant},
        "data": {"run": run, "sent": time.time(), "text": "x" * 250},
        "recipients": {"userIds": [f"u{n % USERS}"]},
    }
    return orjson.dumps({"event": "service.event", "data": data})


async def _main(bootstrap: str, tenant: str, run: str, rate: str, seconds: str) -> None:
    # It lingers as Kafka's own client does by default.
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5) as producer:
        await publish(producer, tenant, run, int(rate), int(seconds), together=10)


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
