"""The load client goes on at another server where it stood, and tells what was lost, repeated or out of order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from bench.drain import Tally
from bench.load import compiled, load, missing
from tests.integration.gateway.clients import eventually

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

_CLOSING = ("server.closing", {"reconnectInMs": 0})


class Script:
    """A server that welcomes a client, and says `words` to it when it may."""

    def __init__(self, position: dict[str, list[int]], words: Sequence[tuple[str, Any]]) -> None:
        self._words = [("connected", {"position": position}), *words]
        self.may = asyncio.Event()
        self.given: list[Any] = []  # positions that clients came with

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """The port."""
        async with serve(self._speak, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            yield str(next(iter(server.sockets)).getsockname()[1])

    async def _speak(self, socket: ServerConnection) -> None:
        await socket.send('0{"sid":"e"}')
        self.given.append(orjson.loads((await socket.recv())[2:])["position"])
        await socket.send('40{"sid":"s"}')
        for word in self._words:
            await socket.send("42" + orjson.dumps(word).decode())
            await self.may.wait()
        await socket.wait_closed()


def told(*seqs: int, room: str = "org:o") -> Iterator[tuple[str, Any]]:
    """Entries of a room."""
    for seq in seqs:
        yield "service.event", {"data": {}, "position": {"room": room, "epoch": 7, "seq": seq}}


async def moved(folder: Path, first: Script, second: Script, shown: int) -> Tally:
    """Of one client, when it has been shown so much."""
    async with first.listening() as here, second.listening() as there:
        program = await compiled(folder)
        async with load(program, here, '{"position":%p}', "/dev/null", "connected") as client:
            await client.ask("open 1")
            await client.ask(f"move {there}")
            first.may.set()
            second.may.set()

            async def all_shown() -> Tally | None:
                tally = Tally(*await client.ask("tally"))
                return tally if tally.shown >= shown else None

            tally: Tally = await eventually(all_shown, f"{shown} to be shown")
            return tally


async def test_a_client_goes_on_where_it_stood(tmp_path: Path) -> None:
    first = Script({"org:o": [7, 2], "user:u0": [7, 0]}, [*told(3, 4), *told(1, room="user:u0"), _CLOSING])
    # What the second server believes of it counts for nothing.
    second = Script({"org:o": [7, 99], "user:u0": [7, 99]}, [*told(5, 6)])
    tally = await moved(tmp_path, first, second, 5)
    assert second.given == [{"org:o": [7, 4], "user:u0": [7, 1]}]
    assert tally[:7] == (1, 1, 5, 0, 0, 0, 0)


async def test_what_is_lost_repeated_or_late_is_told_apart(tmp_path: Path) -> None:
    first = Script({"org:o": [7, 2]}, [*told(3, 4, 4, 6, 5, 9), _CLOSING])
    resync = ("resync", {"reason": "too-old", "position": {"org:o": [7, 9]}})
    second = Script({"org:o": [7, 9]}, [resync, *told(9, 10)])
    tally = await moved(tmp_path, first, second, 6)
    assert tally[:7] == (1, 1, 6, 2, 2, 1, 1)
