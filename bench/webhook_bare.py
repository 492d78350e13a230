"""The loop that webhooks are measured beside: httpcore, reused connections, a body that is ready, nothing else.

`python -m bench.webhook_bare PORT COUNT CONNECTIONS` prints the CPU seconds that it took.
"""

from __future__ import annotations

import asyncio
import sys
import time

import httpcore
import uvloop

_BODY = b'{"type":"system.notification","timestamp":"2026-11-21T07:00:00Z","data":{"text":"' + b"x" * 500 + b'"}}'


async def _post(pool: httpcore.AsyncConnectionPool, port: int, count: int) -> None:
    for _ in range(count):
        await pool.request("POST", f"http://127.0.0.1:{port}/hook", content=_BODY)


async def _all(port: int, count: int, connections: int) -> None:
    async with httpcore.AsyncConnectionPool(max_connections=connections) as pool:
        await asyncio.gather(*(_post(pool, port, count // connections) for _ in range(connections)))


def main() -> None:
    """Posts them all."""
    port, count, connections = map(int, sys.argv[1:4])
    started = time.process_time()
    uvloop.run(_all(port, count, connections))
    print(time.process_time() - started)


if __name__ == "__main__":
    main()
