"""What a delivery, a connection and a unicast cost the fan-out transport, beside stock python-socketio.

Each server runs alone on one core, the load client (C, compiled here) on the others. Stock has fewer connections and
messages, so that its share of the run stays short; all figures are per delivery, connection or CPU second.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt

from bench.fanout_server import SECRET
from bench.result import Result, cpu_seconds, resident_megabytes

_SOURCE = Path(__file__).with_name("fanout_load.c")
_FIRST = 500  # connections before the first that are measured: what a process needs once is not theirs


@dataclass(frozen=True)
class Size:
    """How much of each work one server gets."""

    connections: int
    paced: int  # events at 20/s
    flat_out: int
    unicasts: int
    slow_paced: int  # events at 5/s


SIZES = {"ours": Size(5_000, 80, 600, 100_000, 20), "stock": Size(1_000, 20, 40, 8_000, 20)}


@dataclass
class Figures:
    """Of one server: deliveries and accepts in 1/CPU-second, memory in kB, times in ms."""

    accepts: float
    memory: float
    paced: float
    flat_out: float
    joined: float  # events in one read of a client
    unicast: float
    p50: float
    p99: float
    leaving: float


async def measure() -> list[Result]:
    """One result for each work."""
    if shutil.which("gcc") is None:
        print("the fan-out benchmark needs gcc for its load client", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        load = Path(folder) / "fanout_load"
        compiler = await asyncio.create_subprocess_exec("gcc", "-O2", "-o", load, _SOURCE)
        if await compiler.wait():
            raise RuntimeError("the load client does not compile")
        stock = await _figures("stock", load)
        ours = await _figures("ours", load)
    return _results(ours, stock)


def _results(ours: Figures, stock: Figures) -> list[Result]:
    def result(name: str, figure: str, unit: str, goal: float, **more: float) -> Result:
        beside = {"stock python-socketio": getattr(stock, figure)}
        return Result(f"fanout {name}", getattr(ours, figure), unit, None, beside, goal, more)

    per_cpu = "1/CPU-s"
    return [
        result("deliveries to a room at 20/s", "paced", per_cpu, 130_000),
        result("deliveries to a room flat out", "flat_out", per_cpu, 1_000_000, joined=ours.joined),
        result("unicasts flat out", "unicast", per_cpu, 45_000),
        result("memory of a connection", "memory", "kB", 5),
        result("accepted connections", "accepts", per_cpu, 5_000),
        result("latency p50 at 5/s", "p50", "ms", 20),
        result("latency p99 at 5/s", "p99", "ms", 50),
        result("longest work of the loop when all leave", "leaving", "ms", 20),
    ]


class Load:
    """The load client's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, command: str) -> list[float]:
        """Gives a command; the numbers of the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        await self._process.stdin.drain()
        return await self.answer()

    async def answer(self) -> list[float]:
        """The next line's numbers. Raises RuntimeError when the client has given up."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 120)
        if not line:
            raise RuntimeError("the load client ended")
        return [float(word) for word in line.split()[1:]]

    async def stop(self) -> None:
        """All connections go at once."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def _figures(kind: str, load: Path) -> Figures:
    size = SIZES[kind]
    async with _server(kind) as (port, pid), httpx.AsyncClient(timeout=120) as http, _load(load, port) as client:
        url = f"http://127.0.0.1:{port}"

        async def work(what: str, count: int, rate: float) -> tuple[float, list[float]]:
            """Deliveries in a CPU second, and what the client says."""
            total = count if what == "unicast" else count * size.connections
            await client.ask(f"expect {total}")
            before = cpu_seconds(pid)
            query = {"kind": what, "count": count, "rate": rate, "users": size.connections}
            (await http.get(f"{url}/run", params=query)).raise_for_status()
            answer = await client.answer()
            return total / (cpu_seconds(pid) - before), answer

        await client.ask(f"open {_FIRST}")
        cpu, memory = cpu_seconds(pid), resident_megabytes(pid)
        more = size.connections - _FIRST
        await client.ask(f"open {more}")
        accepts = more / (cpu_seconds(pid) - cpu)
        memory = (resident_megabytes(pid) - memory) * 1000 / more
        _, (_, _, p50, p99, _, _) = await work("room", size.slow_paced, 5)
        paced, _ = await work("room", size.paced, 20)
        flat_out, heard = await work("room", size.flat_out, 0)
        unicast, _ = await work("unicast", size.unicasts, 0)
        await http.get(f"{url}/pause")
        await client.stop()
        await asyncio.sleep(2)
        leaving = float((await http.get(f"{url}/pause")).text)
    return Figures(accepts, memory, paced, flat_out, heard[0] / heard[5], unicast, p50, p99, leaving)


@asynccontextmanager
async def _server(kind: str) -> AsyncIterator[tuple[int, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.fanout_server", kind, str(port))
    try:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield port, process.pid
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def _load(program: Path, port: int) -> AsyncIterator[Load]:
    token = jwt.encode({"sub": "bench", "exp": datetime.now(UTC) + timedelta(hours=1)}, SECRET, algorithm="HS256")
    others = sorted(os.sched_getaffinity(0))[1:] or [0]
    auth = '{"token":"' + token + '","user":%d}'
    process = await asyncio.create_subprocess_exec(
        program, str(port), auth, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    os.sched_setaffinity(process.pid, others)
    client = Load(process)
    try:
        yield client
    finally:
        await client.stop()
