"""A proxy before a gateway that can refuse sockets, as some companies' do, and lets everything else through."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class BlockingProxy:
    """`url` is where clients go; while `refuses` holds, nothing of Socket.IO comes through."""

    target: str
    url: str = ""
    refuses: bool = False
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def accept(self, writer: asyncio.StreamWriter) -> None:
        """A connection has come."""
        self._open.add(writer)

    def cut(self) -> None:
        """Breaks every connection that it has let through."""
        for writer in list(self._open):
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. Which kind it is shows in its first line; sockets have connections of their own."""
        try:
            first = await reader.readline()
            if self.refuses and b" /socket.io/" in first:
                writer.write(_REFUSAL)
                await writer.drain()
            elif first:
                await self._through(first, reader, writer)
        finally:
            await _closed(writer)
            self._open.discard(writer)

    async def _through(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = urlsplit(self.target)
        there, here = await asyncio.open_connection(address.hostname, address.port)
        here.write(first)
        ways = [asyncio.create_task(_pump(reader, here)), asyncio.create_task(_pump(there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            here.close()  # before anything is waited for: this may be cancelled again
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def blocking_proxy(target: str, *, refuses: bool) -> AsyncIterator[BlockingProxy]:
    """A running one, on a free port of this machine."""
    proxy = BlockingProxy(target, refuses=refuses)
    tasks: set[asyncio.Task[None]] = set()

    def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.accept(writer)
        tasks.add(asyncio.create_task(proxy.serve(reader, writer)))

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await asyncio.sleep(0)  # what has been accepted already is told to `served`
        proxy.cut()  # also what has not begun to be served
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
