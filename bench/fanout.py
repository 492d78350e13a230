"""What a delivery, a connection and a unicast cost the fan-out transport, beside stock python-socketio.

Each server runs alone on one core, the load client (C, compiled here) on the others. Stock has fewer connections and
messages, so that its share of the run stays short; all figures are per delivery, connection or CPU second.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt

from bench.fanout_server import SECRET
from bench.figures import Figures, Size, results
from bench.load import compiled, load, missing
from bench.result import Result, cpu_seconds, resident_megabytes

_FIRST = 500  # connections before the first that are measured: what a process needs once is not theirs


SIZES = {"ours": Size(5_000, 80, 600, 100_000, 20), "stock": Size(1_000, 20, 40, 8_000, 20)}


async def measure() -> list[Result]:
    """One result for each work."""
    if missing():
        print(missing(), file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        program = await compiled(Path(folder))
        stock = await _figures("stock", program)
        ours = await _figures("ours", program)
    return results("fanout", ours, {"stock python-socketio": stock})


async def _figures(kind: str, program: Path) -> Figures:
    size = SIZES[kind]
    async with (
        _server(kind) as (port, pid),
        httpx.AsyncClient(timeout=120) as http,
        load(program, str(port), _auth()) as client,
    ):
        url = f"http://127.0.0.1:{port}"

        async def work(what: str, count: int, rate: float) -> tuple[float, list[float]]:
            """Deliveries in a CPU second, and what the client says."""
            total = count if what == "unicast" else count * size.connections
            await client.ask(f"expect {total}")
            before = cpu_seconds(pid)
            query: dict[str, str | float] = {"kind": what, "count": count, "rate": rate, "users": size.connections}
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


def _auth() -> str:
    token = jwt.encode({"sub": "bench", "exp": datetime.now(UTC) + timedelta(hours=1)}, SECRET, algorithm="HS256")
    return '{"token":"' + token + '","user":%d}'
