"""Real Socket.IO clients that note what they are shown."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import socketio

from devstack.demo.people import token

_EVENTS = ("system.notification", "service.event", "service.alert", "agent.event")


class Watcher:
    """One person's client on the namespace `/`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rooms: list[str] = []
        self._shown: dict[str, tuple[float, dict[str, Any]]] = {}
        self._news = asyncio.Condition()
        self._connected = asyncio.Event()
        self._client = socketio.AsyncClient()

    async def connect(self, url: str) -> None:
        """Connects and waits for the server's `connected`. Raises TimeoutError after ten seconds."""
        self._client.on("connected", self._confirm)
        for event in _EVENTS:
            self._client.on(event, self._show)
        await self._client.connect(url, headers={"Authorization": f"Bearer {token(self.name)}"})
        await asyncio.wait_for(self._connected.wait(), 10)

    async def disconnect(self) -> None:
        """Closes the socket."""
        await self._client.disconnect()

    async def shown(self, correlation_id: str, timeout: float) -> tuple[float, dict[str, Any]] | None:
        """(when, payload) of the event with this correlation id, or None when it is not shown in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout), self._news:
                await self._news.wait_for(lambda: correlation_id in self._shown)
        return self._shown.get(correlation_id)

    def _confirm(self, data: dict[str, Any]) -> None:
        self.rooms = data["rooms"]
        self._connected.set()

    async def _show(self, payload: dict[str, Any]) -> None:
        async with self._news:
            self._shown[payload["metadata"].get("correlationId", "")] = (time.monotonic(), payload)
            self._news.notify_all()


@contextlib.asynccontextmanager
async def watching(names: Iterable[str], url: str) -> AsyncIterator[dict[str, Watcher]]:
    """Connected watchers by name, for the time of the block."""
    watchers = {name: Watcher(name) for name in names}
    try:
        for watcher in watchers.values():
            await watcher.connect(url)
        yield watchers
    finally:
        for watcher in watchers.values():
            await watcher.disconnect()
