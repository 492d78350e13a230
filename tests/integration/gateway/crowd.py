"""Many clients at little cost: plain WebSockets that keep their position and come back by themselves."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

_PATH = "/socket.io/?EIO=4&transport=websocket"


class Member:
    """One client of the crowd. `urls` is where it may connect: the first, and the next when that is over."""

    def __init__(self, urls: list[str], bearer: str) -> None:
        self._urls, self._bearer = urls, bearer
        self.shown: list[int] = []
        self.position: dict[str, Any] | None = None
        self.resyncs: list[str] = []
        self.told_at = self.closed_at = 0.0
        self.pause = 0
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        for url in self._urls:
            async with connect(url.replace("http", "ws") + _PATH, compression=None) as socket:
                await self._listen(socket)
            self.closed_at = time.monotonic()
            await asyncio.sleep(self.pause / 1000)

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                assert isinstance(message, str)
                if message == "2":
                    await socket.send("3")
                elif message.startswith("0"):
                    auth = {"token": self._bearer, "position": self.position}
                    await socket.send("40" + orjson.dumps(auth).decode())
                elif message.startswith("42"):
                    self._heard(*orjson.loads(message[2:]))
        except ConnectionClosed:
            return

    def _heard(self, event: str, payload: dict[str, Any]) -> None:
        if event == "connected":
            self.position = payload["position"]
            self.connected.set()
        elif event == "resync":
            self.resyncs.append(payload["reason"])
        elif event == "server.closing":
            self.told_at, self.pause = time.monotonic(), payload["reconnectInMs"]
            self.connected.clear()
        elif "position" in payload and self.position is not None:
            at = payload["position"]
            self.position[at["room"]] = [at["epoch"], at["seq"]]
            self.shown.append(payload["data"]["n"])
