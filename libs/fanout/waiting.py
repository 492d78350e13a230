"""Reading an ASGI request's body, and waiting only as long as its client is there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def read_body(receive: Any, limit: int) -> bytes | None:
    """The whole body; None when it is longer than `limit` bytes, or the client went away before its end."""
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return None
        body += event.get("body", b"")
        if len(body) > limit:
            return None
        if not event.get("more_body"):
            return bytes(body)


async def while_connected(work: Coroutine[Any, Any, None], receive: Any) -> bool:
    """Whether the work was done before the client disconnected; else it is cancelled."""
    working = asyncio.ensure_future(work)
    await asyncio.sleep(0)  # mostly there is something to fetch already
    if working.done():
        working.result()
        return True
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        return working.done()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
