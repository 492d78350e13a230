"""Emails per CPU-second of a real delivery worker, from planned in the ledger to sent, to a local SMTP sink.

Beside it a bare aiosmtplib loop that hands ready-made messages of like size to the same sink: no ledger, no Kafka, no
rendering. The sink is aiosmtpd in a process of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bench.deliveries import bare, sink, worked
from bench.result import Result
from devstack.layout import Layout
from devstack.ports import free_port
from devstack.smtp_peer import smtp_environment
from devstack.stack import Stack

COUNT, CONNECTIONS = 4_000, 16
GOAL_SHARE = 0.6

_PLAIN = "The monthly report number {n} is ready for you. It covers sales, returns and the warehouse."
_MARKDOWN = (
    "The **monthly report** number {n} is ready.\n\nIt covers sales and the [warehouse](https://example.test/{n})."
)


async def measure() -> list[Result]:
    """Plain messages, each of its own; messages in Markdown; and plain ones to a server that takes several commands in
    one packet, which the bare loop does not do.
    """
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = smtp_environment(port) | {
            "CARILLON_DELIVERY_CONCURRENCY": str(CONNECTIONS),
            "CARILLON_ENVIRONMENT": "production",
        }
        stack = Stack(Path(folder), Layout(counts={"delivery": 1}, environment=environment))
        await asyncio.to_thread(stack.start)
        try:
            async with _sink(port, "aiosmtpd.handlers.Sink"):
                beside = await bare("email_bare", port, COUNT, CONNECTIONS)
                await worked(stack, 1, 300, _PLAIN)  # first connections and statements are not what a mail costs
                plain = await worked(stack, 301, 300 + COUNT, _PLAIN)
                markdown = await worked(stack, 301 + COUNT, 300 + 2 * COUNT, _MARKDOWN)
            async with _sink(port, "bench.email_sink.Pipelining"):
                packets = await worked(stack, 301 + 2 * COUNT, 300 + 3 * COUNT, _PLAIN)
        finally:
            await asyncio.to_thread(stack.stop)
    took = {"email": plain, "email in Markdown": markdown, "email, commands in one packet": packets}
    return [_result(name, one, beside) for name, one in took.items()]


def _sink(port: int, handler: str) -> AbstractAsyncContextManager[None]:
    return sink(port, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", handler)


def _result(name: str, took: tuple[float, float], loop: float) -> Result:
    cpu, seconds = took
    beside, more = {"bare aiosmtplib loop": loop}, {"per second": COUNT / seconds}
    return Result(name, COUNT / cpu, "emails/CPU-s", cpu, beside, round(GOAL_SHARE * loop), more)
