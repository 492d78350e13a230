"""One person's client for each dialect: the same notification, by each namespace's own name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import socketio

from devstack.demo.people import token

NAMESPACES = ("/", "/notifications", "/events", "/ws/notifications")


class Listener:
    """Hears everything that one namespace says to the person."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._heard: list[tuple[str, bytes]] = []
        self._news = asyncio.Condition()
        self._client = socketio.AsyncClient()
        self._client.on("*", self._hear, namespace=namespace)

    async def connect(self, url: str, person: str) -> None:
        """Connects and waits for the greeting, whatever it is called. Raises TimeoutError after ten seconds."""
        await self._client.connect(url, auth={"token": token(person)}, namespaces=[self.namespace])
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: self._heard)

    async def disconnect(self) -> None:
        """Closes the socket."""
        await self._client.disconnect()

    async def told(self, notification_id: str, timeout: float) -> str | None:
        """By which event the notification came, or None when it does not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout), self._news:
                await self._news.wait_for(lambda: self._name_of(notification_id))
        return self._name_of(notification_id)

    def _name_of(self, notification_id: str) -> str | None:
        return next((event for event, payload in self._heard if notification_id.encode() in payload), None)

    async def _hear(self, event: str, payload: Any = None) -> None:
        async with self._news:
            self._heard.append((event, orjson.dumps(payload)))
            self._news.notify_all()


@contextlib.asynccontextmanager
async def listening(url: str, person: str) -> AsyncIterator[list[Listener]]:
    """A connected client in each namespace, for the time of the block."""
    listeners = [Listener(namespace) for namespace in NAMESPACES]
    try:
        for listener in listeners:
            await listener.connect(url, person)
        yield listeners
    finally:
        for listener in listeners:
            await listener.disconnect()
