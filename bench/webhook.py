"""Webhooks per CPU-second of a real delivery worker, from planned in the ledger to sent, to a local endpoint.

Beside it a bare httpcore loop that posts a ready-made body of like size to the same endpoint.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
from pathlib import Path

import asyncpg

from bench.deliveries import bare, sink, worked
from bench.result import Result
from devstack.layout import Layout
from devstack.ports import free_port
from devstack.stack import Stack
from libs.runtime.ids import endpoint_recipient

COUNT, CONNECTIONS = 4_000, 16
_TEXT = "The monthly report number {n} is ready for you. It covers sales, returns and the warehouse."
_ENDPOINT = """
insert into webhook_endpoints (tenant, endpoint_id, channel, url, secrets) values ('default', 'e', 'webhook', $1, $2)
"""
_ENVIRONMENT = {
    "CARILLON_CHANNELS": "webhook",
    "CARILLON_EGRESS_NETWORKS": "127.0.0.0/8",
    "CARILLON_DELIVERY_CONCURRENCY": str(CONNECTIONS),
    "CARILLON_ENVIRONMENT": "production",
}


async def measure() -> list[Result]:
    """All go to one endpoint, as those of a tenant do."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), Layout(counts={"delivery": 1}, environment=_ENVIRONMENT))
        async with sink(port, "-m", "bench.webhook_sink", str(port)):
            await asyncio.to_thread(stack.start)
            try:
                beside = await bare("webhook_bare", port, COUNT, CONNECTIONS)
                await _register(stack, port)
                to = endpoint_recipient("e")
                await worked(stack, 1, 300, _TEXT, "webhook", to)  # first connections are not what a webhook costs
                cpu, seconds = await worked(stack, 301, 300 + COUNT, _TEXT, "webhook", to)
            finally:
                await asyncio.to_thread(stack.stop)
    more = {"per second": COUNT / seconds}
    return [Result("webhook", COUNT / cpu, "webhooks/CPU-s", cpu, {"bare httpcore loop": beside}, None, more)]


async def _register(stack: Stack, port: int) -> None:
    connection = await asyncpg.connect(stack.neighbours.postgres_dsn)
    try:
        secret = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
        await connection.execute(_ENDPOINT, f"http://127.0.0.1:{port}/hook", [secret])
    finally:
        await connection.close()
