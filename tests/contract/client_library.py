"""The client library as the contract tests run it: built from its sources, in a node process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from devstack.cache import locked
from devstack.processes import ROOT
from tests.contract.node_client import NodeClient, node
from tests.integration.gateway.scribe import Scribe

_REFUSING = """
create function refused() returns trigger language plpgsql as
  $$begin raise exception 'going down' using errcode = 'admin_shutdown'; end$$;
create trigger refused before insert or update on receipts for each row execute function refused();
"""
PACKAGE = ROOT / "clients" / "js"


def build(lock: Path) -> None:
    """Compiles the library, if a source is newer than what was compiled; once for all who test at the same time."""
    compiled = PACKAGE / "dist" / "index.js"
    sources = [*PACKAGE.joinpath("src").rglob("*.ts"), PACKAGE / "tsconfig.json"]
    with locked(lock):
        if compiled.exists() and all(source.stat().st_mtime <= compiled.stat().st_mtime for source in sources):
            return
        tsc = PACKAGE / "node_modules" / ".bin" / "tsc"
        assert tsc.exists(), "clients/js is not installed: run `make setup`"
        result = subprocess.run([tsc, "-p", PACKAGE], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout
        compiled.touch()


class Library:
    """A running client, and what it has said."""

    def __init__(self, client: NodeClient) -> None:
        self._client = client

    async def next(self, kind: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The value of the next line of this kind that is as wanted; others of the kind are passed over."""
        try:
            while not wanted(value := await self._client.next(kind)):
                pass
        except TimeoutError:
            raise AssertionError(f"no {kind} as wanted; what else was said: {self._client.said[-20:]}") from None
        return value

    async def do(self, command: str, argument: Any = None) -> Any:
        """Gives a command and returns its answer."""
        return await self._client.do(command, "" if argument is None else json.dumps(argument))

    async def is_online(self) -> None:
        """Waits until its session stands."""
        await self.next("status", lambda status: status["kind"] == "online")

    async def shows(self, *numbers: int) -> None:
        """Waits until it was shown exactly these (`n` of their data), one after the other."""
        assert [(await self.next("notification"))["n"] for _ in numbers] == list(numbers)

    def said(self, kind: str) -> list[Any]:
        """What it has said of this kind that nobody asked for yet."""
        return [value for said, value in self._client.said if said == kind]


@contextlib.asynccontextmanager
async def library(url: str, **options: Any) -> AsyncIterator[Library]:
    """A client of the library, with these options and those of client_library.mjs."""
    async with node("client_library.mjs", json.dumps({"url": url} | options)) as client:
        yield Library(client)


async def settle(client: Library) -> None:
    """Waits until the client has dealt with everything that was sent to it so far."""
    await client.do("emit", ["ping"])
    await client.next("event pong")
    await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def refusing(scribe: Scribe) -> AsyncIterator[None]:
    """PostgreSQL refuses to write what anybody does to single notifications, as when it is being stopped."""
    await scribe.pool.execute(_REFUSING)
    try:
        yield
    finally:
        await scribe.pool.execute("drop function refused() cascade")
