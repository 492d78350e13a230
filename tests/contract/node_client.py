"""Clients that run on Node.js: a script prints JSON lines `{kind, value}` and takes commands on standard input."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

_SCRIPTS = Path(__file__).parent / "js"  # their packages are installed by `make setup`


class NodeClient:
    """The script, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[tuple[str, Any]] = []

    async def next(self, kind: str) -> Any:
        """The value of the next line of this kind that has not been asked for."""
        async with asyncio.timeout(20):
            while True:
                found = next((line for line in self.said if line[0] == kind), None)
                if found is not None:
                    self.said.remove(found)
                    return found[1]
                assert self._process.stdout is not None
                line = json.loads(await self._process.stdout.readline())
                self.said.append((line["kind"], line.get("value")))

    async def do(self, command: str, argument: str = "") -> Any:
        """Gives a command and returns its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command} {argument}\n".encode())
        return await self.next(command)


@contextlib.asynccontextmanager
async def node(script: str, *arguments: str) -> AsyncIterator[NodeClient]:
    """The script of this name, running."""
    process = await asyncio.create_subprocess_exec(
        "node", str(_SCRIPTS / script), *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield NodeClient(process)
    finally:
        process.kill()
        assert process.stdin is not None
        process.stdin.close()
        await process.communicate()
