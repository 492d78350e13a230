"""The server that the fan-out benchmark loads: `python -m bench.fanout_server ours|stock PORT`.

The same application on both: a token is checked, two rooms are joined. `/run` emits, `/pause` answers with the longest
stretch of work of the loop since the last call, in ms.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import sys
import time
from typing import Any
from urllib.parse import parse_qs

import jwt
import socketio
import uvicorn

from bench.emitting import SECRET
from libs.fanout import AsyncServer, uvicorn_options

SIZE = 300  # bytes of a payload, about
_WATCH = 0.002


class LoopWatch:
    """Notices how long the loop works without coming round, in CPU seconds: other processes do not count."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(_WATCH)
            self.longest = max(self.longest, time.thread_time() - began)


def create(kind: str) -> Any:
    """The server with its handlers."""
    options: dict[str, Any] = {
        "async_mode": "asgi",
        "cors_allowed_origins": "*",
        "ping_interval": 25,
        "ping_timeout": 20,
    }
    sio: Any = AsyncServer(**options) if kind == "ours" else socketio.AsyncServer(**options, monitor_clients=False)

    @sio.event  # type: ignore[untyped-decorator]
    async def connect(sid: str, _environ: Any, auth: dict[str, Any]) -> None:
        jwt.decode(auth["token"], SECRET, algorithms=["HS256"])
        await sio.enter_room(sid, "room")
        await sio.enter_room(sid, f"user:{auth['user']}")

    return sio


async def emit(sio: Any, kind: str, count: int, rate: float, users: int) -> None:
    """`count` events to the room or to random users, at a rate or (0) by four emitters flat out."""
    rng = random.Random(1)

    async def one() -> None:
        target = f"user:{rng.randrange(users)}" if kind == "unicast" else "room"
        await sio.emit("event", {"t": time.time_ns() // 1000, "text": "x" * (SIZE - 40)}, room=target)

    if rate:
        began = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            await one()
        return

    async def many(share: int) -> None:
        for _ in range(share):
            await one()

    await asyncio.gather(*(many(count // 4) for _ in range(4)))


def application(sio: Any) -> Any:
    """The control routes."""
    watch = LoopWatch()
    kept: list[asyncio.Task[None]] = []

    async def control(scope: Any, _receive: Any, send: Any) -> None:
        if not kept:
            kept.append(asyncio.create_task(watch.run()))
        asked = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        if scope["path"] == "/run":
            await emit(sio, asked["kind"], int(asked["count"]), float(asked["rate"]), int(asked["users"]))
        longest, watch.longest = watch.longest, 0.0
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(longest * 1000).encode()})

    return control


def main() -> None:
    """Serves on the first core, where there are several: the load client has the others."""
    kind, port = sys.argv[1], int(sys.argv[2])
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    sio = create(kind)
    options = uvicorn_options(sio) if kind == "ours" else {"ws_per_message_deflate": False, "ws_ping_interval": None}
    app = socketio.ASGIApp(sio, application(sio))
    # What lives as long as the process is not looked at again; it doubles what stock delivers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        loop="uvloop",
        lifespan="off",
        **{"backlog": 4096} | options,
    )


if __name__ == "__main__":
    main()
