"""Measures a server of sockets that is told what to emit.

Most have the benchmark's own application and emit by themselves: `GET /run?kind=room|unicast&count=…&rate=…&users=…`;
`/pause` answers with the longest stretch of work of the loop since the last call, in ms; 0 where that is not known.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import jwt

from bench.figures import Figures, Size
from bench.load import Load, load
from bench.result import cpu_seconds, resident_megabytes

SECRET = "fan-out-benchmark-secret-of-32-bytes"
Emit = Callable[[httpx.AsyncClient, str, int, float, int], Awaitable[None]]  # kind, count, rate, users
FIRST = 500  # connections before the first that are measured: what a process needs once is not theirs


class Server:
    """A server's process on the first core. `command` is completed by the port."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._command = command
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Returns when it has been started, not when it answers."""
        first = sorted(os.sched_getaffinity(0))[:1]
        command = [str(self.port) if part == "PORT" else part for part in self._command]
        self._process = await asyncio.create_subprocess_exec(
            *command, preexec_fn=partial(os.sched_setaffinity, 0, first)
        )

    async def answers(self) -> None:
        """Returns when it accepts connections. Raises RuntimeError when it does not within 20 s."""
        for _ in range(400):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise RuntimeError(f"{self._command[0]} does not answer")

    async def kill(self) -> None:
        """Ends it as a crash does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def by_itself(http: httpx.AsyncClient, kind: str, count: int, rate: float, users: int) -> None:
    """A server with the benchmark's application is asked once."""
    query: dict[str, str | float] = {"kind": kind, "count": count, "rate": rate, "users": users}
    (await http.get("/run", params=query)).raise_for_status()


async def figures(
    command: Sequence[str | Path],
    size: Size,
    program: Path,
    *,
    emit: Emit = by_itself,
    arguments: Sequence[str | Path] = (),
) -> Figures:
    """All works, one after the other. `PORT` in the command becomes the server's port.

    `arguments` are what the load client `program` is told behind the port, by default how to join a Socket.IO server.
    """
    server = Server(command)
    await server.start()
    try:
        await server.answers()
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=120) as http,
            load(program, str(server.port), *(arguments or [_auth()])) as client,
        ):
            return await _Run(server, http, client, size, emit).figures()
    finally:
        await server.kill()


class _Run:
    def __init__(self, server: Server, http: httpx.AsyncClient, client: Load, size: Size, emit: Emit) -> None:
        self._server, self._http, self._client, self._size, self._emit = server, http, client, size, emit

    async def figures(self) -> Figures:
        size = self._size
        accepts, memory = await self._open()
        _, (_, _, p50, p99, _, _) = await self._work("room", size.slow_paced, 5)
        paced, _ = await self._work("room", size.paced, 20)
        flat_out, heard = await self._work("room", size.flat_out, 0)
        unicast, _ = await self._work("unicast", size.unicasts, 0)
        storm = await self._storm()
        await self._pause()
        await self._client.stop()
        await asyncio.sleep(2)
        leaving = await self._pause()
        return Figures(accepts, memory, paced, flat_out, heard[0] / heard[5], unicast, p50, p99, leaving, storm)

    async def _pause(self) -> float:
        answer = await self._http.get("/pause")
        return float(answer.text) if answer.is_success else 0.0

    async def _open(self) -> tuple[float, float]:
        pid, more = self._server.pid, self._size.connections - FIRST
        await self._client.ask(f"open {FIRST}")
        cpu, memory = cpu_seconds(pid), resident_megabytes(pid)
        await self._client.ask(f"open {more}")
        accepts = more / (cpu_seconds(pid) - cpu)
        return accepts, (resident_megabytes(pid) - memory) * 1000 / more

    async def _work(self, kind: str, count: int, rate: float) -> tuple[float, list[float]]:
        """Deliveries in a CPU second, and what the client says."""
        total = count if kind == "unicast" else count * self._size.connections
        await self._client.ask(f"expect {total}")
        before = cpu_seconds(self._server.pid)
        await self._emit(self._http, kind, count, rate, self._size.connections)
        answer = await self._client.answer()
        return total / (cpu_seconds(self._server.pid) - before), answer

    async def _storm(self) -> float:
        """Seconds from the first that is accepted after a crash until everybody is in again."""
        await self._client.ask("storm")
        await self._server.kill()
        await self._server.start()
        back: float = (await self._client.answer())[0]
        return back


def _auth() -> str:
    token = jwt.encode({"sub": "bench", "exp": datetime.now(UTC) + timedelta(hours=1)}, SECRET, algorithm="HS256")
    return '{"token":"' + token + '","user":%d}'
