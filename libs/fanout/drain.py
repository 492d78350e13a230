"""Closing many sessions over a window of time, in no order that clients could share."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import TypeVar

from libs.fanout.reasons import Reason
from libs.fanout.session import Session

T = TypeVar("T")

_STEP = 0.02  # seconds between two shares
_GOING_AWAY = 1001


class Drain:
    """`seconds` is the window; `rng` decides the order."""

    def __init__(self, seconds: float, rng: random.Random | None = None) -> None:
        self._seconds, self._rng = seconds, rng or random.Random()  # noqa: S311 - an order, no secret

    async def close(self, sessions: Sequence[Session]) -> None:
        """Closes all of them: the i-th of n in a random order when i/n of the window is over."""
        order = list(sessions)
        self._rng.shuffle(order)
        steps = max(1, int(self._seconds / _STEP))
        for step in range(steps):
            for session in share(order, step, steps):
                session.end(Reason.SERVER_DISCONNECT, code=_GOING_AWAY)
            if step + 1 < steps:
                await asyncio.sleep(_STEP)


def share(order: Sequence[T], step: int, steps: int) -> Sequence[T]:
    """Those whose turn is in this step: the shares are even, and together they are all."""
    return order[len(order) * step // steps : len(order) * (step + 1) // steps]
