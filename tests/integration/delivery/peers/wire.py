"""The line between a client and a peer, which can be cut or spoken into; and servers that never say a word."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

_JUNK = b"\x00\xff this is no answer of any protocol\r\n\r\n"


class Wire:
    """Forwards 127.0.0.1:`port` to a peer's own port."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._clients: set[asyncio.StreamWriter] = set()
        self.port = 0

    def cut(self) -> None:
        """Resets every connection."""
        for client in self._clients:
            client.transport.abort()

    def babble(self) -> None:
        """Says something to every client that makes no sense, and hangs up."""
        for client in self._clients:
            client.write(_JUNK)
            client.close()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        both = [writer]
        self._clients.add(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            both.append(up_writer)
            await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer))
        finally:
            self._clients.discard(writer)
            await _closed(*both)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _closed(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def wire(upstream: int) -> AsyncIterator[Wire]:
    """A wire to a peer on this port."""
    line = Wire(upstream)
    async with _listening(line.accept) as line.port:
        yield line


@contextlib.asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """The port of a server that accepts connections and never says anything: no greeting, no TLS."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                await reader.read()
        finally:
            await _closed(writer)

    async with _listening(accept) as port:
        yield port


@contextlib.asynccontextmanager
async def _listening(accept: Accept) -> AsyncIterator[int]:
    running: set[asyncio.Task[None]] = set()

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await accept(reader, writer)
        running.discard(task)

    server = await asyncio.start_server(tracked, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)  # what was just accepted gets to know of it, and is then ended as well
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
