"""Waiting for something outside this process, with a deadline and a check that it can still come."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(done: Callable[[], bool], *, timeout: float, what: str, check: Callable[[], None] | None = None) -> None:
    """Poll `done` until it is true.

    Args:
        done: asked every 50 ms.
        timeout: seconds.
        what: what is waited for, for the message.
        check: raises when waiting longer is useless (for example Child.check).

    Raises:
        TimeoutError: it did not come in time.
    """
    deadline = time.monotonic() + timeout
    while not done():
        if check is not None:
            check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {timeout:g} s")
        time.sleep(0.05)
