"""The transport of sockets: our fan-out library, which writes the same bytes to everybody without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from libs.fanout import AsyncServer, Limits, uvicorn_options
from services.gateway import metrics
from services.gateway.adapters.socket_options import SocketOptions
from services.gateway.domain.dialects.dialect import Repeated

#: What is kept of a client's request: who it is, from which page, and who brought it.
_HEADERS = frozenset({"authorization", "cookie", "forwarded", "host", "origin", "x-forwarded-for", "x-forwarded-proto"})


class FanoutSockets:
    """See ports.Sockets."""

    def __init__(self, options: SocketOptions) -> None:
        limits = Limits(
            slow_bytes=options.slow_bytes,
            join_seconds=options.join_seconds,
            handshake_seconds=options.handshake_seconds,
            kept_headers=_HEADERS,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self.server = AsyncServer(limits=limits, **options.arguments())
        self.uvicorn_options = uvicorn_options(self.server)

    def watch(self, pinged: Callable[[str], None], ponged: Callable[[str], None]) -> None:
        """Tells of every ping to a client and every pong from one, by sid."""
        self.server.watch_pings(pinged, ponged)

    @property
    def closed(self) -> Mapping[str, int]:
        """How many sockets the transport closed on its own, by reason."""
        counts = asdict(self.server.counts)
        del counts["opened"]
        return counts

    def emit(self, namespace: str, sids: Iterable[str], event: str, payload: Mapping[str, Any]) -> None:
        """See ports.Sockets."""
        encoded = payload.encoded if isinstance(payload, Repeated) else None
        if encoded is None:
            encoded = self.server.encode(event, payload, namespace=namespace)
            if isinstance(payload, Repeated):
                payload.encoded = encoded
        metrics.DELIVERIES.counts[()] += self.server.write(sids, encoded, namespace)

    def emit_personal(
        self, namespace: str, readers: Mapping[str, str], event: str, payload: Mapping[str, Any], field: str
    ) -> None:
        """See ports.Sockets."""
        encoded = self.server.encode_halves(event, payload, field, namespace=namespace)
        count = sum(self.server.write((sid,), encoded(reader), namespace) for sid, reader in readers.items())
        metrics.DELIVERIES.counts[()] += count

    async def breathe(self) -> None:
        """See ports.Sockets."""
        await self.server.breathe()

    def refuse(self, namespace: str, sid: str, reason: str | None = None) -> None:
        """See ports.Sockets."""
        leaving = self.server.disconnect if reason is None else partial(self.server.fail, reason)
        task = asyncio.ensure_future(leaving(sid, namespace))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def drop(self, namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        self.server.drop(sid, namespace)

    def ping(self, namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        self.server.ping(sid, namespace)

    async def drain(self, seconds: float) -> None:
        """See ports.Sockets."""
        await self.server.drain(seconds)

    async def sweep(self) -> None:
        """See ports.Sockets. The library's timer does it."""
