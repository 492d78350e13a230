"""Running a service: from settings to a graceful stop on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable

import uvloop

from libs.runtime.logging import get_logger

Stop = asyncio.Event

_log = get_logger(__name__)


def run(main: Callable[[Stop], Awaitable[None]]) -> None:
    """Runs `main(stop)` on uvloop; SIGTERM and SIGINT set `stop`, and main returns when it has stopped."""
    uvloop.run(_with_signals(main))


async def _with_signals(main: Callable[[Stop], Awaitable[None]]) -> None:
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Start-up objects live as long as the process: they need not be looked at by every collection.
    gc.freeze()
    await main(stop)


async def first(*awaitables: Awaitable[object]) -> None:
    """Waits until the first of them ends, raises what it raised, and cancels the others."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def close_within(timeout: float, what: str, closing: Awaitable[object]) -> None:
    """Waits `timeout` seconds for it and then goes on without it; never raises.

    Not `asyncio.wait_for`: that waits on until the work has been cancelled, and some work does not let itself be.
    """
    task = asyncio.ensure_future(closing)
    done, _ = await asyncio.wait((task,), timeout=timeout)
    if not done:
        task.cancel()
        _log.warning("closed_unclean", part=what, errors=[f"not closed within {timeout:.0f} s"])
    elif task.cancelled():  # by itself: aiokafka's consumer ends so when it waits for a broker that is away
        _log.debug("closed_cancelled", part=what)
    elif (error := task.exception()) is not None:
        _log.warning("closed_unclean", part=what, errors=[repr(error)])
