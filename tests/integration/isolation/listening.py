"""Clients that note everything they are told, and say everything that a client can say."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import httpx
import orjson
import socketio
from websockets.asyncio.client import connect

from tests.integration.gateway.clients import eventually
from tests.integration.isolation.tenants import OURS, THEIRS, Tenants

NAMESPACES = ("/", "/notifications", "/events", "/ws/notifications")


class Listener:
    """A socket that notes everything, and says everything that it can."""

    def __init__(self, namespace: str) -> None:
        self.namespace, self.heard = namespace, bytearray()
        self.io = socketio.AsyncClient(reconnection=False)
        self.io.on("*", self._note, namespace=namespace)

    async def connect(self, url: str, bearer: str, position: dict[str, Any]) -> None:
        auth = {"token": bearer, "position": position}
        await self.io.connect(url, auth=auth, namespaces=[self.namespace], transports=["websocket"])

    async def provoke(self, tenants: Tenants, dice: random.Random) -> None:
        """Names our rooms, people and notifications in every client event."""
        for event, data in provocations(tenants, dice):
            await self.io.emit(event, data, namespace=self.namespace)

    def _note(self, event: str, *data: Any) -> None:
        self.heard += orjson.dumps([event, data], default=str)


def provocations(tenants: Tenants, dice: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """Every client event, with what is ours in it, in any order."""
    rooms = ["user:ana", "org:acme", "tenant", f"tenant:{OURS}", "broadcast", "agent:ana", "order:7", "session:s"]
    notification, place = dice.choice(tenants.notifications), {"resourceType": "order", "resourceId": "7"}
    events: list[tuple[str, dict[str, Any]]] = [
        ("authenticate", {"token": tenants.bearer(THEIRS), "tenantId": OURS}),
        ("joinRoom", {"room": dice.choice(rooms)}),
        ("joinRoom", {"room": f"{OURS}:user:ana"}),
        ("leaveRoom", {"room": dice.choice(rooms)}),
        ("markNotificationRead", {"notificationId": notification}),
        ("ack", {"notificationId": notification}),
        ("notification:acknowledge", {"recipient_id": notification}),
        ("typing:start", place),
        ("typing:stop", place),
        ("ephemeral", {"room": "order:7", "event": "order:seen", "payload": {}, "tenantId": OURS}),
        ("presence:update", {"status": "BUSY", "customStatus": "here", "tenantId": OURS}),
        ("subscribe", {"types": ["system.notification"], "tenantId": OURS}),
        ("unsubscribe", {"tenantId": OURS}),
        ("getPresence", {"tenantId": OURS, "userIds": ["ana", "ben"]}),
        ("ping", {}),
    ]
    return dice.sample(events, len(events))


class Overhearing:
    """A plain WebSocket and an event stream of the other tenant, in every dialect, which note everything."""

    def __init__(self, url: str, bearer: str) -> None:
        self.url, self.bearer, self.heard = url, bearer, bytearray()
        self._tasks: list[asyncio.Task[None]] = []
        self.ready = 0

    async def __aenter__(self) -> Overhearing:
        for namespace in NAMESPACES:
            self._tasks += [asyncio.create_task(self._socket(namespace)), asyncio.create_task(self._stream(namespace))]
        await eventually(self._all, "all of them to be in")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _all(self) -> bool:
        return self.ready == len(self._tasks)

    async def _socket(self, namespace: str) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/ws?dialect={namespace}&token={self.bearer}"
        async with connect(address) as socket:
            self.heard += await socket.recv(decode=False)
            self.ready += 1
            while True:
                self.heard += await socket.recv(decode=False)

    async def _stream(self, namespace: str) -> None:
        query = {"dialect": namespace, "token": self.bearer, "tenantId": OURS}
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=60) as http,
            http.stream("GET", "/notifications/sse", params=query) as stream,
        ):
            stream.raise_for_status()
            self.ready += 1
            async for chunk in stream.aiter_bytes():
                self.heard += chunk
