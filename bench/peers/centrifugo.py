"""Centrifugo: it has no application of its own, so it is told by its HTTP API what to publish.

What that costs it is part of its figures; unicasts come in batches of a hundred, as one would send many.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt

from bench.emitting import SECRET, figures
from bench.figures import Figures, Size

NAME = "Centrifugo"
BUILD = ("go", "build", "-mod=mod", "-o", "centrifugo", "github.com/centrifugal/centrifugo/v5")
_TEXT = "x" * 260  # with the clock about 300 bytes, as elsewhere
_IN_FLIGHT, _BATCH = 4, 100
_CONNECT = '{"connect":{"token":"%t"},"id":1}'
_CONFIGURATION = {"address": "127.0.0.1", "token_hmac_secret_key": SECRET, "api_insecure": True, "log_level": "error"}


async def figures_of(built: Path, size: Size, program: Path) -> Figures:
    """All works of the server in the folder `built`."""
    with tempfile.TemporaryDirectory() as folder:
        configuration, tokens = Path(folder) / "config.json", Path(folder) / "tokens"
        configuration.write_text(json.dumps(_CONFIGURATION))
        tokens.write_text("\n".join(map(_token, range(size.connections))))
        command: list[str | Path] = [built / "centrifugo", "--config", configuration, "--port", "PORT"]
        arguments: list[str | Path] = [_CONNECT, tokens, "connect", "centrifugo"]
        return await figures(command, size, program, emit=_by_api, arguments=arguments)


async def _by_api(http: httpx.AsyncClient, kind: str, count: int, rate: float, users: int) -> None:
    if kind == "unicast":
        batches = (range(first, min(first + _BATCH, count)) for first in range(0, count, _BATCH))
        await _flat_out(http, ([f"user-{random.randrange(users)}" for _ in batch] for batch in batches))
    elif rate:
        began = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            await _publish(http, ["room"])
    else:
        await _flat_out(http, (["room"] for _ in range(count)))


async def _flat_out(http: httpx.AsyncClient, requests: Iterable[Sequence[str]]) -> None:
    waiting = iter(requests)

    async def emit() -> None:
        for channels in waiting:
            await _publish(http, channels)

    await asyncio.gather(*(emit() for _ in range(_IN_FLIGHT)))


async def _publish(http: httpx.AsyncClient, channels: Sequence[str]) -> None:
    data = {"t": time.time_ns() // 1000, "text": _TEXT}
    commands = [{"publish": {"channel": channel, "data": data}} for channel in channels]
    answer = await http.post("/api/batch", json={"commands": commands})
    answer.raise_for_status()


def _token(number: int) -> str:
    claims = {
        "sub": f"u{number}",
        "channels": ["room", f"user-{number}"],
        "exp": datetime.now(UTC) + timedelta(hours=1),
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")
