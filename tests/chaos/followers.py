"""Socket.IO clients that follow their position: they reconnect by themselves and note what they were shown."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import socketio

EVENTS = ("system.notification", "service.event", "service.alert", "agent.event")


@dataclass
class Follower:
    """One person's client. `shown` holds (room, epoch, seq, n) in the order in which it was shown."""

    user_id: str
    token: str
    urls: Sequence[str]
    shown: list[tuple[str, int, int, int]] = field(default_factory=list)
    resyncs: list[dict[str, Any]] = field(default_factory=list)
    position: dict[str, list[int]] = field(default_factory=dict)
    connects: int = 0
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    _client_now: socketio.AsyncClient | None = None

    async def drop(self) -> None:
        """The connection ends without a word; the client comes back by itself."""
        if self._client_now is not None:
            await self._client_now.eio.disconnect(abort=True)

    async def follow(self) -> None:
        """Connects, and connects again, until ended and cancelled: the client may swallow a cancellation."""
        attempt = random.randrange(len(self.urls))
        while not self.ended:
            client = self._client_now = self._client()
            try:
                await client.connect(self.urls[attempt % len(self.urls)], auth=self._auth(), transports=["websocket"])
                await client.wait()
            except socketio.exceptions.ConnectionError:
                attempt += 1
            finally:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(client.disconnect(), 2)
            attempt += 1
            await asyncio.sleep(random.uniform(0.05, 0.5))  # a client's own pause before it tries again

    def _auth(self) -> dict[str, Any]:
        return {"token": self.token} | ({"position": self.position} if self.position else {})

    def _client(self) -> socketio.AsyncClient:
        client = socketio.AsyncClient(reconnection=False)

        def confirmed(data: dict[str, Any]) -> None:
            for room, at in data["position"].items():
                self.position.setdefault(room, at)
            self.connects += 1
            self.connected.set()

        client.on("connected", confirmed)
        client.on("resync", self.resyncs.append)
        client.on("error", lambda _data: None)
        for event in EVENTS:
            client.on(event, self._show)
        return client

    def _show(self, payload: dict[str, Any]) -> None:
        at = payload["position"]
        self.shown.append((at["room"], at["epoch"], at["seq"], payload["data"]["n"]))
        self.position[at["room"]] = [at["epoch"], at["seq"]]

    def faults(self, expected: set[int]) -> list[str]:
        """What is wrong with what this person was shown."""
        numbers = [n for *_, n in self.shown]
        faults = [f"{self.user_id}: shown twice {n}" for n in set(numbers) if numbers.count(n) > 1]
        faults += [f"{self.user_id}: never shown {n}" for n in expected - set(numbers)]
        faults += [f"{self.user_id}: not theirs {n}" for n in set(numbers) - expected]
        last: dict[str, int] = {}
        for room, _epoch, seq, n in self.shown:
            if seq <= last.get(room, 0):
                faults.append(f"{self.user_id}: {n} out of order in {room}")
            last[room] = seq
        return faults


@contextlib.asynccontextmanager
async def following(followers: Sequence[Follower]) -> Any:
    """The followers connected, for the time of the block."""
    tasks = [asyncio.create_task(follower.follow()) for follower in followers]
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(follower.connected.wait() for follower in followers))
        yield
    finally:
        for follower in followers:
            follower.ended = True
        running = set(tasks)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=3)
