"""Doing several slow things at once, from code that is not asynchronous."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait


def at_once(actions: Iterable[Callable[[], object]]) -> None:
    """Run every action in a thread of its own and return when all have ended.

    The first failure is raised at once, while the others may still run: the caller ends what they wait for.
    """
    started = list(actions)
    if not started:
        return
    threads = ThreadPoolExecutor(len(started), thread_name_prefix="devstack")
    try:
        ended, _running = wait([threads.submit(action) for action in started], return_when=FIRST_EXCEPTION)
    finally:
        threads.shutdown(wait=False)
    for action in ended:
        action.result()
