"""Recording what became of deliveries: whatever has ended goes into one statement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from services.delivery import metrics
from services.delivery.domain.outcome import Failed, Outcome, Retry, Returned, Sent, Unknown
from services.delivery.handlers.patience import patiently, wait
from services.delivery.ports import Ledger, Result

_IDLE = 1.0  # seconds: how often a loop without work says that it is alive
_GATHER = 0.02  # seconds: results of this long share a statement; a lease is longer by far
_NOBODY = "none"  # in a metric's label, where no provider was asked
_log = get_logger(__name__)


class Recording:
    """Results are put in as calls end; while one statement runs, the next batch gathers."""

    def __init__(self, ledger: Ledger, progress: Progress, clock: Callable[[], datetime]) -> None:
        self._ledger, self._progress, self._clock = ledger, progress, clock
        self._waiting: list[Result] = []
        self._some = asyncio.Event()
        self._ended = asyncio.Event()
        self._never = asyncio.Event()  # a result is worth the wait until the process must go

    def put(self, result: Result) -> None:
        """To be recorded soon."""
        self._waiting.append(result)
        self._some.set()

    def end(self) -> None:
        """Nothing more will be put in: `run` returns when all is recorded."""
        self._ended.set()
        self._some.set()

    async def run(self) -> None:
        """Records until `end`. Waits for the database as long as it takes."""
        while not (self._ended.is_set() and not self._waiting):
            self._progress.made()
            await wait(self._some, _IDLE)
            await wait(self._ended, _GATHER)
            self._some.clear()
            batch, self._waiting = self._waiting, []
            if batch:
                await self._record(batch)

    async def _record(self, batch: list[Result]) -> None:
        held = await patiently(lambda: self._ledger.record(batch), self._progress, self._never, "postgres")
        counted = {id(result) for result in held}
        for result in batch:
            if id(result) in counted:
                self._tell(result)
            else:
                metrics.FENCED.labels(result.delivery.channel, result.provider or _NOBODY).inc()
                _log.warning("outcome_fenced", **result.delivery.log_fields, status=result.outcome.reason)

    def _tell(self, result: Result) -> None:
        delivery, outcome = result.delivery, result.outcome
        labels = delivery.channel, result.provider or _NOBODY
        _count(outcome, *labels)
        if isinstance(outcome, Sent):
            told = {"provider": result.provider, "attempt": delivery.attempts + 1}
            metrics.LATENCY.labels(*labels).observe((self._clock() - delivery.created_at).total_seconds())
            _log.info("delivery_sent", **delivery.log_fields, status="sent", errors=[], **told)
            return
        _log.warning(
            "delivery_not_sent",
            **delivery.log_fields,
            status=type(outcome).__name__.lower(),
            errors=[outcome.reason],
            provider=result.provider,
            code=getattr(outcome, "code", None),
            attempt=delivery.attempts + 1,
        )


def _count(outcome: Outcome, channel: str, provider: str) -> None:
    match outcome:
        case Sent():
            metrics.SENT.labels(channel, provider).inc()
        case Retry():
            metrics.RETRIED.labels(channel, provider).inc()
        case Unknown():
            metrics.UNKNOWN.labels(channel, provider).inc()
        case Failed():
            metrics.FAILED.labels(channel, provider, outcome.reason).inc()
        case Returned():
            metrics.RETURNED.labels(channel, provider).inc()
