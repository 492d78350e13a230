"""npm's socket.io-client: upgrading while everybody is being sent to loses, doubles and reorders nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.integration.fanout.server import BY_ASGI, OURS, Running, serving

JS = Path(__file__).resolve().parents[2] / "contract" / "js"
CLIENTS, NUMBERS = 40, 400

pytestmark = [
    pytest.mark.covers("S6"),
    pytest.mark.skipif(
        shutil.which("node") is None or not (JS / "node_modules").exists(), reason="needs node and its packages"
    ),
]


async def send(server: Running) -> None:
    """One number every 5 ms: clients connect and upgrade meanwhile."""
    for number in range(NUMBERS):
        await server.sio.emit("number", number)
        await asyncio.sleep(0.005)
    for number in range(NUMBERS, NUMBERS + 1):  # when all have come
        while len(server.log) < CLIENTS:
            await asyncio.sleep(0.01)
        await server.sio.emit("number", number)


@pytest.mark.parametrize("kind", [OURS, BY_ASGI])
async def test_upgrades_under_load(kind: str) -> None:
    with serving(kind) as server:
        node = await asyncio.create_subprocess_exec(
            "node", "upgrade_under_load.mjs", server.url, str(CLIENTS), str(NUMBERS),
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
        assert seen["upgraded"] == CLIENTS * 3 // 4
        assert seen["polling"] == CLIENTS // 4
        assert seen["messages"] > CLIENTS * 20
