"""Python's garbage collector, kept from stopping the loop.

With thousands of sockets a full collection looks at half a million objects and takes some 0.2 s. Sessions leave no
cycles behind, so what has lived for a round is not looked at again; a full collection is made now and then all the
same, for cycles that others may leave.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (2_000, 20, 1_000_000)  # the oldest generation is left to the rounds
_FULL_EVERY = 3_600  # rounds


class Garbage:
    """One round is to be called every second."""

    def __init__(self) -> None:
        gc.set_threshold(*_THRESHOLDS)
        self._round = 0

    def step(self) -> None:
        """Collects what came up since the last round, and sets aside what stays."""
        self._round += 1
        if self._round % _FULL_EVERY == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
