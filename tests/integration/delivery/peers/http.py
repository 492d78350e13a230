"""The base of peers that speak HTTP: an ASGI application on a real port, behind a wire."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.requests import Request
from starlette.responses import Response

from devstack.ports import free_port
from libs.http.server import serving
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.wire import Wire, wire

SLOWNESS = 0.3  # seconds


@dataclass(frozen=True)
class Got:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class HttpPeer:
    """Keeps what it is sent. A subclass answers in its provider's words.

    `case` is what happens to requests until it is changed; those to the path `aside` are neither kept nor part of it.
    """

    aside = ""

    def __init__(self) -> None:
        self.case = Case.ACCEPTED
        self.requests: list[Got] = []
        self.wire: Wire | None = None
        self._ended = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it is reached."""
        assert self.wire is not None
        return f"http://127.0.0.1:{self.wire.port}"

    def answer(self, _got: Got, _case: Case) -> Response:
        """The answer to a request in this case."""
        raise NotImplementedError

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])  # such as lifespan: servers go on without
        request = Request(scope, receive)
        got = Got(request.url.path, dict(request.headers), await request.body())
        if got.path == self.aside:
            await self.answer(got, Case.ACCEPTED)(scope, receive, send)
            return
        self.requests.append(got)
        case = Case.ACCEPTED if self.case is Case.SLOW else self.case
        if self.case is Case.SLOW:
            await asyncio.sleep(SLOWNESS)
        if self.case in (Case.SILENT, Case.RESET, Case.MALFORMED):
            await self._misbehave()
            return
        await self.answer(got, case)(scope, receive, send)

    async def _misbehave(self) -> None:
        assert self.wire is not None
        if self.case is Case.RESET:
            self.wire.cut()
        elif self.case is Case.MALFORMED:
            self.wire.babble()
        await self._ended.wait()

    async def until_asked(self, count: int, timeout: float = 20.0) -> None:
        """Returns when so many requests have come; raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while len(self.requests) < count:
                await asyncio.sleep(0.02)

    def end(self) -> None:
        """Lets go of what is silent."""
        self._ended.set()


P = TypeVar("P", bound=HttpPeer)


@contextlib.asynccontextmanager
async def running(peer: P, *, http2: bool = False) -> AsyncIterator[P]:
    """The peer, reachable while the block runs; by HTTP/2 without TLS where that is asked for."""
    port = free_port()
    server = _serving2(peer, port) if http2 else serving(peer, "127.0.0.1", port, timeout_graceful_shutdown=1)
    async with server, wire(port) as line:
        peer.wire = line
        try:
            yield peer
        finally:
            peer.end()


@contextlib.asynccontextmanager
async def _serving2(peer: HttpPeer, port: int) -> AsyncIterator[None]:
    config = Config()
    config.bind, config.graceful_timeout, config.errorlog = [f"127.0.0.1:{port}"], 0.5, None
    over = asyncio.Event()
    application: Any = peer
    server = asyncio.create_task(serve(application, config, shutdown_trigger=over.wait))
    async with asyncio.timeout(10):
        while not await _listens(port):
            await asyncio.sleep(0.01)
    yield
    over.set()
    await server


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
