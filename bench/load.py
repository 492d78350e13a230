"""The load client of the socket benchmarks: a C program, compiled when it is needed, that is given commands."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from devstack.layout import DEVELOPMENT_SECRET
from libs.auth.tokens import issue
from libs.runtime.clock import utc_now

AUTH = '{"token":"%t","position":%p}'
_SOURCE = Path(__file__).with_name("fanout_load.c")
_PATIENCE = 300.0  # seconds for an answer


def missing() -> str | None:
    """What has to be installed before it can be compiled."""
    return None if shutil.which("gcc") else "this benchmark needs gcc for its load client"


async def compiled(folder: Path) -> Path:
    """The program. Raises RuntimeError when it does not compile."""
    program = folder / "fanout_load"
    compiler = await asyncio.create_subprocess_exec("gcc", "-O2", "-o", program, _SOURCE)
    if await compiler.wait():
        raise RuntimeError("the load client does not compile")
    return program


async def tokens(folder: Path, people: int, org: str) -> Path:
    """A file with a token in each line, of the people u0, u1, … of an organisation."""
    path, now = folder / "tokens", utc_now()
    claims = ({"sub": f"u{number}", "orgId": org} for number in range(people))
    lines = [issue(of, DEVELOPMENT_SECRET, now=now, lifetime=timedelta(hours=12)) for of in claims]
    await asyncio.to_thread(path.write_text, "\n".join(lines))
    return path


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
        line = await asyncio.wait_for(self._process.stdout.readline(), _PATIENCE)
        if not line:
            raise RuntimeError("the load client ended")
        return [float(word) for word in line.split()[1:]]

    async def stop(self) -> None:
        """All connections go at once."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def load(program: Path, *arguments: str | Path) -> AsyncIterator[Load]:
    """The client at work, on every core but the first, which is the server's."""
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[1:] or [0])
    client = Load(process)
    try:
        yield client
    finally:
        await client.stop()
