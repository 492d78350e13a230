"""The Faust application: made by a function, so that nothing happens at import."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import faust
from yarl import URL

from services.router.entrypoints.buffer import BoundedBuffer
from services.router.entrypoints.transport import Transport
from services.router.errors import Misconfigured
from services.router.settings import Settings

Agent = Callable[[Any], Awaitable[None]]
Assigned = Callable[[Collection[tuple[str, int]]], None]


def require_compiled() -> None:
    """Raises Misconfigured: Faust's pure Python acknowledges events of partitions that were taken away."""
    if importlib.util.find_spec("faust._cython.streams") is None:
        raise Misconfigured(
            "faust-streaming has no compiled extension here: install its wheel, or build it with Cython"
        )


class RouterApp(faust.App):
    """A Faust application whose queues are bounded by bytes as well."""

    # By default it has this module's name, and announces every start and stop.
    logger = logging.getLogger("faust.app")

    def __init__(self, *args: Any, max_records: int, max_bytes: int, **options: Any) -> None:
        self._bounds = {"max_records": max_records, "max_bytes": max_bytes}
        self._buffers: list[BoundedBuffer] = []
        super().__init__(*args, **options)

    def buffer_full(self) -> bool:
        """Whether the next message would have to wait."""
        return any(buffer.full() for buffer in self._buffers)

    def _create_directories(self) -> None:
        """Nothing is kept in files, and in a container there is nowhere to make any."""

    def FlowControlQueue(self, maxsize: int | None = None, *, clear_on_resume: bool = False) -> BoundedBuffer:  # noqa: N802, ARG002 - Faust's signature
        buffer = BoundedBuffer(flow_control=self.flow_control, clear_on_resume=clear_on_resume, **self._bounds)
        self._buffers.append(buffer)
        return buffer


def create(
    settings: Settings, group: str, topics: Collection[str], agent: Agent, assigned: Assigned, *, ahead: int
) -> RouterApp:
    """An application that is not started. `agent` is given the stream of all topics; `assigned` hears of partitions.

    `ahead`: how many events are taken up at once, and wait in memory at most. Taking up thousands stops the loop.
    """
    app = RouterApp(
        group,
        broker=[URL(f"kafka://{address}") for address in settings.kafka_bootstrap.split(",")],
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        autodiscover=False,
        cython_optimizations=True,
        # Partitions of a router that died are another's after ten seconds; Faust waits for sixty.
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        # A batch may be held for as long as the database is away: heartbeats go on meanwhile.
        broker_max_poll_interval=86_400.0,
        stream_processing_timeout=86_400.0,
        broker_commit_livelock_soft_timeout=86_400.0,
        broker_commit_every=1_000_000_000,  # by time alone: the other way stops fetching while the commit is on its way
        broker_commit_interval=1.0,
        broker_max_poll_records=ahead,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        stream_buffer_maxsize=ahead,
        max_records=ahead,
        max_bytes=settings.router_buffer_bytes,
    )
    app.transport = Transport(app.conf.broker_consumer, app)
    topic = app.topic(
        *topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", internal=True
    )
    app.agent(topic, name="router")(agent)
    _hear(app, assigned)
    return app


def _hear(app: RouterApp, assigned: Assigned) -> None:
    async def on_assigned(_app: Any, partitions: Any, **_: Any) -> None:
        assigned({(partition.topic, partition.partition) for partition in partitions})

    # Kept by the application: its signals hold their listeners weakly.
    app.on_assigned_listener = on_assigned
    app.on_partitions_assigned.connect(on_assigned)
