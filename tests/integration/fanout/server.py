"""A server in a thread of its own: stock python-socketio and ours, on both roads, with one application."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import socketio
import uvicorn
import uvloop

from libs.fanout import AsyncServer, Limits, uvicorn_options

T = TypeVar("T")

STOCK, OURS, BY_ASGI = "stock", "ours", "ours by ASGI"


class Running:
    """A running server: `url`, `sio`, and `run` for coroutines on its loop. `log` is what its handlers noted."""

    def __init__(self, kind: str, port: int, *, tls: bool = False) -> None:
        self.kind, self.port = kind, port
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        self.log: list[Any] = []
        self.sio: Any = None
        self.uvicorn: uvicorn.Server | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 20) -> T:
        """Runs it on the server's loop and waits for it."""
        assert self.loop is not None
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(timeout)

    def call(self, work: Callable[[], T]) -> T:
        """The same for a plain call."""

        async def once() -> T:
            return work()

        return self.run(once())

    async def arun(self, work: Coroutine[Any, Any, T]) -> T:
        """`run` from a test that has clients on its own loop."""
        return await asyncio.to_thread(self.run, work)


@contextmanager
def serving(kind: str, *, limits: Limits | None = None, tls: Path | None = None, **options: Any) -> Iterator[Running]:
    """A server with the test application while the block runs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    running = Running(kind, listener.getsockname()[1], tls=tls is not None)
    ready = threading.Event()
    thread = threading.Thread(target=_serve, args=(running, listener, ready, limits, tls, options))
    thread.start()
    assert ready.wait(10)
    try:
        yield running
    finally:
        assert running.uvicorn is not None
        running.uvicorn.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive()


def _serve(
    running: Running,
    listener: socket.socket,
    ready: threading.Event,
    limits: Limits | None,
    tls: Path | None,
    options: dict[str, Any],
) -> None:
    async def main() -> None:
        options.setdefault("cors_allowed_origins", "*")
        running.sio = (
            socketio.AsyncServer(async_mode="asgi", **options)
            if running.kind == STOCK
            else AsyncServer(limits=limits, **options)
        )
        application(running.sio, running.log)
        more = uvicorn_options(running.sio) if running.kind == OURS else {}
        if tls is not None:
            more |= {"ssl_certfile": str(tls), "ssl_keyfile": str(tls)}
        app = socketio.ASGIApp(running.sio, other)
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2, **more)
        server = running.uvicorn = uvicorn.Server(config)
        running.loop = asyncio.get_running_loop()
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        ready.set()
        await serving
        if running.kind != STOCK:
            await running.sio.eio.shutdown()

    # uvicorn takes the process's signals only in the main thread.
    uvloop.run(main())


def application(sio: Any, log: list[Any]) -> None:
    """Handlers that tests of both servers speak with."""

    async def connect(sid: str, environ: Any, auth: Any = None) -> None:
        auth = auth or {}
        if auth.get("refuse"):
            raise socketio.exceptions.ConnectionRefusedError("no", {"why": 1})
        if auth.get("fail"):
            raise RuntimeError("a handler that fails")
        await sio.save_session(sid, {"user": auth.get("user"), "agent": environ.get("HTTP_X_AGENT")})
        await sio.enter_room(sid, "room")
        log.append(("connect", sid))

    async def disconnect(sid: str, reason: str) -> None:
        log.append(("disconnect", sid, reason, (await sio.get_session(sid))["user"]))

    async def echo(_sid: str, *data: Any) -> Any:
        return data if len(data) != 1 else data[0]

    async def session(sid: str) -> Any:
        return await sio.get_session(sid)

    async def slow(_sid: str, number: int) -> int:
        log.append(("slow", number))
        await asyncio.sleep(0.02)
        log.append(("done", number))
        return number

    async def fail(_sid: str) -> None:
        raise RuntimeError("a handler that fails")

    for handler in (connect, disconnect, echo, session, slow, fail):
        sio.on(handler.__name__, handler)
    custom_namespace(sio)


def custom_namespace(sio: Any) -> None:
    """Another namespace with a room of its own."""

    async def custom(sid: str, _environ: Any, _auth: Any = None) -> None:
        await sio.enter_room(sid, "room", namespace="/custom")

    async def shout(_sid: str, data: Any) -> None:
        await sio.emit("shouted", {"data": data}, room="room", namespace="/custom")

    sio.on("connect", custom, namespace="/custom")
    sio.on("shout", shout, namespace="/custom")


async def other(scope: Any, receive: Any, send: Any) -> None:
    """Another application on the same port: REST and a WebSocket."""
    event = await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        event = await receive()
        await send({"type": "websocket.send", "text": "other: " + event["text"]})
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"other: " + event.get("body", b"")})


def client_tls() -> ssl.SSLContext:
    """Trusts whatever certificate the test server has."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
