"""Proxies in front of several gateways: one of our own by any rule, and Caddy by the file that compose gives it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Literal

from devstack.ports import free_port

CADDYFILE = Path(__file__).resolve().parents[2] / "deploy" / "compose" / "Caddyfile"
COOKIE = "carillon"

#: The first request of a client goes to any (as at the ingress), or by its address (as in compose); `none`: every one
#: goes to the next.
Rule = Literal["cookie", "cookie or address", "none"]


@dataclass
class Proxy:
    """A reverse proxy. `went` holds by Engine.IO session the upstreams that its requests went to."""

    upstreams: Sequence[int]
    rule: Rule
    went: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _turns: count[int] = field(default_factory=count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; it carries one request, or a socket once that is upgraded."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            upstream = self._upstream(head, writer.get_extra_info("peername")[0])
            if session := re.search(rb"[?&]sid=([^& ]+)", head):
                self.went[session[1].decode()].add(upstream)
            answer, request = await asyncio.open_connection("127.0.0.1", self.upstreams[upstream])
            with contextlib.closing(request):
                request.write(head if b"upgrade: websocket" in head.lower() else _last(head))
                await asyncio.gather(_pass_on(reader, request), self._answer(answer, writer, upstream))

    def _upstream(self, head: bytes, address: str) -> int:
        cookie = re.search(rb"cookie:[^\r]*\b%s=(\d)" % COOKIE.encode(), head, re.IGNORECASE)
        if self.rule != "none" and cookie is not None:
            return int(cookie[1])
        if self.rule == "cookie or address":
            return sum(address.encode()) % len(self.upstreams)
        return next(self._turns) % len(self.upstreams)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int) -> None:
        first = await reader.readuntil(b"\r\n")
        cookie = b"" if self.rule == "none" else f"set-cookie: {COOKIE}={upstream}; path=/\r\n".encode()
        writer.write(first + cookie)
        await _pass_on(reader, writer)


def _last(head: bytes) -> bytes:
    """The request as the only one of its connection."""
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([kept[0], b"connection: close", *kept[1:]])


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def proxy(upstreams: Sequence[int], rule: Rule) -> AsyncIterator[tuple[str, Proxy]]:
    """A proxy of our own and its address."""
    ours = Proxy(upstreams, rule)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(ours.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", ours
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def caddy(upstreams: Sequence[int], folder: Path) -> AsyncIterator[str]:
    """Caddy by the file of compose, with these upstreams in place of those that the name `gateway` stands for."""
    port = free_port()
    there = " ".join(f"127.0.0.1:{upstream}" for upstream in upstreams)
    text, named = re.subn(r"dynamic a gateway 3002 \{[^}]*\}", f"to {there}", CADDYFILE.read_text())
    text, ported = re.subn(r"(?m)^:3002 ", f"http://127.0.0.1:{port} ", text)
    assert (named, ported) == (1, 1), "the Caddyfile has another form"
    (folder / "Caddyfile").write_text(text)
    arguments = ("run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
    devnull, home = asyncio.subprocess.DEVNULL, {"HOME": str(folder), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    process = await asyncio.create_subprocess_exec("caddy", *arguments, stdout=devnull, stderr=devnull, env=home)
    try:
        await _listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
