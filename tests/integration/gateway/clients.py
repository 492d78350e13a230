"""Socket.IO clients of the tests: they note what they are told, and are waited for with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import socketio

from devstack.layout import DEVELOPMENT_SECRET
from libs.auth.tokens import issue
from libs.runtime.clock import utc_now

DEADLINE = 15.0
EVENTS = ("system.notification", "service.event", "service.alert", "agent.event")


def token(user: str | None = None, *, lifetime: float = 3600.0, **claims: Any) -> str:
    """A token of the development secret; `lifetime` in seconds."""
    who = {} if user is None else {"sub": user}
    return issue(who | claims, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(seconds=lifetime))


class Client:
    """One connection to a namespace. `told` holds (event, payload) in order."""

    def __init__(self, url: str, namespace: str = "/") -> None:
        self.url, self.namespace = url, namespace
        self.told: list[tuple[str, Any]] = []
        self.position: dict[str, list[int]] = {}
        self.disconnected = asyncio.Event()
        self._news = asyncio.Condition()
        self.io = socketio.AsyncClient(reconnection=False)
        self.io.on("*", self._note, namespace=namespace)
        self.io.on("disconnect", lambda *_: self.disconnected.set(), namespace=namespace)
        self.io.on("connect_error", self._fail, namespace=namespace)

    async def connect(self, transport: str = "websocket", query: str = "", **options: Any) -> Client:
        """Connects; `auth` and `headers` as python-socketio takes them."""
        await self.io.connect(self.url + query, transports=[transport], namespaces=[self.namespace], **options)
        return self

    async def say(self, event: str, *arguments: Any) -> None:
        """Emits to the server."""
        await self.io.emit(event, *arguments, namespace=self.namespace)

    async def ask(self, event: str, argument: Any) -> Any:
        """Emits to the server and returns what it answers to the call."""
        return await self.io.call(event, argument, namespace=self.namespace, timeout=int(DEADLINE))

    async def _fail(self, data: Any) -> None:
        await self._note("connect_error", data)

    async def _note(self, event: str, *payload: Any) -> None:
        async with self._news:
            self.told.append((event, payload[0] if payload else {}))
            self._follow(self.told[-1][1])
            self._news.notify_all()

    def _follow(self, payload: Any) -> None:
        at = payload.get("position", {}) if isinstance(payload, dict) else {}
        self.position |= {at["room"]: [at["epoch"], at["seq"]]} if "room" in at else at

    async def until(self, condition: Callable[[], Any], deadline: float = DEADLINE) -> None:
        """Waits until the condition holds; it is looked at whenever something is told."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline), self._news:
                await self._news.wait_for(condition)
                return
        raise AssertionError(f"it did not come in {deadline} s; told: {self.told[-20:]}")

    async def event(self, name: str) -> dict[str, Any]:
        """The first payload of an event."""
        await self.until(lambda: self.of(name))
        return self.of(name)[0]

    def of(self, name: str) -> list[dict[str, Any]]:
        """All payloads of an event."""
        return [payload for event, payload in self.told if event == name]

    def shown(self) -> list[int]:
        """The `n` of every notification, in the order in which they were shown."""
        return [payload["data"]["n"] for event, payload in self.told if event in EVENTS]

    async def showed(self, count: int) -> list[int]:
        """Waits until that many have been shown, and returns them all."""
        await self.until(lambda: len(self.shown()) >= count)
        return self.shown()

    async def shows(self, *numbers: int) -> None:
        """Waits until exactly these have been shown, in this order."""
        assert await self.showed(len(numbers)) == list(numbers)


@contextlib.asynccontextmanager
async def client(
    url: str, bearer: str, position: Any = None, namespace: str = "/", **options: Any
) -> AsyncIterator[Client]:
    """A client that has been told that its session stands."""
    one = Client(url, namespace)
    auth = {"token": bearer} | ({} if position is None else {"position": position})
    try:
        await one.connect(auth=auth, **options)
        await one.event("authenticated" if namespace == "/notifications" else "connected")
        yield one
    finally:
        await one.io.disconnect()


async def eventually(condition: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """Asks an async condition again and again; returns what it returned when that was true."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(deadline):
            while not (answer := await condition()):
                await asyncio.sleep(0.05)
            return answer
    raise AssertionError(f"waited {deadline} s in vain for {what}")


async def measured(url: str, name: str) -> float:
    """A metric of a gateway, by its name with labels."""
    async with httpx.AsyncClient() as http:
        lines = (await http.get(f"{url}/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[-1])
