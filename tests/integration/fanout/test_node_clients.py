"""npm's socket.io-client: upgrading while everybody is being sent to loses, doubles and reorders nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.integration.fanout.server import BY_ASGI, OURS, Running, serving

JS = Path(__file__).resolve().parents[2] / "contract" / "js"
CLIENTS, UPGRADING = 40, 30

pytestmark = [
    pytest.mark.covers("S6"),
    pytest.mark.skipif(
        shutil.which("node") is None or not (JS / "node_modules").exists(), reason="needs node and its packages"
    ),
]


async def send(server: Running) -> None:
    """One number every 5 ms, until all have come and upgraded."""
    number = 0
    while _upgraded(server) < UPGRADING or len(server.log) < CLIENTS or number < 100:
        await server.sio.emit("number", number)
        await asyncio.sleep(0.005)
        number += 1
    await server.sio.emit("last")


def _upgraded(server: Running) -> int:
    return sum(session.upgraded for session in server.sio.eio.sockets.values())


@pytest.mark.parametrize("kind", [OURS, BY_ASGI])
async def test_upgrades_under_load(kind: str) -> None:
    with serving(kind) as server:
        node = await asyncio.create_subprocess_exec(
            "node", "upgrade_under_load.mjs", server.url, str(CLIENTS),
            cwd=JS, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            await server.arun(send(server))
            output, _ = await asyncio.wait_for(node.communicate(), 20)
        finally:
            if node.returncode is None:
                node.kill()
        seen = json.loads(output)
        assert seen["gaps"] == 0
        assert seen["disconnects"] == 0
        assert (seen["websocket"], seen["polling"]) == (UPGRADING, CLIENTS - UPGRADING)
        assert seen["messages"] > CLIENTS * 10
