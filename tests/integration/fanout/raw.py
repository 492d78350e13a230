"""A client that sees bytes: for what a well-behaved client never does."""

from __future__ import annotations

import asyncio
import ssl

from tests.unit.fanout.clients import client_frame

REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: {connection}\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
)
PATH = "/socket.io/?EIO=4&transport=websocket"


#: Connections that the test at work has opened; a fixture closes them.
opened: list[Raw] = []


class Raw:
    """A connection; `head` is the answer to the WebSocket request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.head = reader, writer, b""
        opened.append(self)

    @classmethod
    async def open(
        cls,
        port: int,
        path: str = PATH,
        *,
        headers: str = "",
        connection: str = "Upgrade",
        pieces: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Raw:
        """Asks for a WebSocket, in pieces of so many bytes if wanted."""
        raw = cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))
        request = REQUEST.format(path=path, connection=connection, headers=headers).encode()
        size = pieces or len(request)
        for at in range(0, len(request), size):
            raw.writer.write(request[at : at + size])
            await raw.writer.drain()
            if pieces:
                await asyncio.sleep(0.002)  # so that the pieces are read one by one
        raw.head = await asyncio.wait_for(raw.reader.readuntil(b"\r\n\r\n"), 5)
        return raw

    @classmethod
    async def joined(cls, port: int, auth: str = "") -> Raw:
        """A connection that has joined the namespace `/`."""
        raw = await cls.open(port)
        await raw.text()
        raw.send(f"40{auth}")
        while not (await raw.text()).startswith("40"):
            pass
        return raw

    def send(self, data: str | bytes) -> None:
        """A message."""
        binary = isinstance(data, bytes)
        self.writer.write(client_frame(data if isinstance(data, bytes) else data.encode(), 2 if binary else 1))

    async def frame(self, timeout: float = 5) -> tuple[int, bytes]:
        """(opcode, payload) of the next frame."""
        async with asyncio.timeout(timeout):
            first, size = await self.reader.readexactly(2)
            if size >= 126:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            return first & 15, await self.reader.readexactly(size)

    async def text(self, timeout: float = 5) -> str:
        """The next text message."""
        while True:
            opcode, payload = await self.frame(timeout)
            if opcode == 1:
                return payload.decode()

    async def closed(self, timeout: float = 5) -> int | None:
        """The close code; None when the connection ended without one."""
        try:
            while True:
                opcode, payload = await self.frame(timeout)
                if opcode == 8:
                    return int.from_bytes(payload[:2], "big")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def close(self) -> None:
        """Hangs up."""
        self.writer.close()
