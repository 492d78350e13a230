"""Doing something at a rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


async def paced(rate: float, total: int, send: Callable[[int], Awaitable[object]]) -> None:
    """Calls `send` with 0, 1, … `total` - 1, `rate` times a second; what falls behind is made up for at once."""
    began = time.monotonic()
    for n in range(total):
        await send(n)
        ahead = began + (n + 1) / rate - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
