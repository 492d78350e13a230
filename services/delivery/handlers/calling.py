"""One call to a provider: from a delivery to its result."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime

from libs.runtime.logging import get_logger
from services.delivery import metrics
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import EXHAUSTED, Failed, Outcome, of_fault
from services.delivery.domain.pace import Pace
from services.delivery.domain.retry import RetryPolicy
from services.delivery.errors import Fault, Overloaded, Unavailable, Uncertain
from services.delivery.ports import Provider, Result

_log = get_logger(__name__)


class Calling:
    """Calls the provider and keeps the pace that its answers ask for.

    `repeatable` as in domain.outcome.
    """

    def __init__(
        self, provider: Provider, policy: RetryPolicy, pace: Pace, clock: Callable[[], datetime], *, repeatable: bool
    ) -> None:
        self.pace = pace
        self._provider, self._policy, self._clock, self._repeatable = provider, policy, clock, repeatable

    async def call(self, delivery: Delivery) -> Result:
        """Sends it. Whatever happens is a result."""
        started_at, started = self._clock(), time.monotonic()
        outcome = await self._attempt(delivery)
        seconds = time.monotonic() - started
        metrics.CALLS.labels(delivery.channel, self._provider.name).observe(seconds)
        return Result(delivery, outcome, self._provider.name, started_at, seconds)

    async def _attempt(self, delivery: Delivery) -> Outcome:
        if self._policy.exhausted(delivery.attempts):  # the last attempt's process died before it could say so
            return Failed(EXHAUSTED, counted=False)
        try:
            sent = await self._provider.send(delivery)
        except Fault as fault:
            self._slow_down(fault)
            return self._outcome(fault, delivery)
        except Exception:  # noqa: BLE001 - a fault of ours is an attempt, whose last leads to the dead letters
            _log.exception("call_failed", **delivery.log_fields)
            return self._outcome(Uncertain("internal-error"), delivery)
        self.pace = self.pace.went_well()
        return sent

    def _outcome(self, fault: Fault, delivery: Delivery) -> Outcome:
        return of_fault(fault, delivery.attempts, self._policy, _draw(), repeatable=self._repeatable)

    def _slow_down(self, fault: Fault) -> None:
        now = time.monotonic()
        if isinstance(fault, Overloaded):
            self.pace = self.pace.overloaded(now, fault.after, _draw())
        elif isinstance(fault, Unavailable):
            self.pace = self.pace.unavailable(now, fault.after, _draw())
            _log.warning("provider_unavailable", provider=self._provider.name, errors=[fault.reason], code=fault.code)
        else:
            self.pace = self.pace.went_well()  # it answered: that somebody's mailbox is closed is not its trouble


def _draw() -> float:
    return random.random()  # noqa: S311 - jitter, not a secret
