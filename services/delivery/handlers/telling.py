"""What became of deliveries, told in metrics and logs once the ledger has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache

from libs.runtime.logging import get_logger
from services.delivery import metrics
from services.delivery.domain.outcome import Failed, Outcome, Retry, Returned, Sent, Unknown
from services.delivery.ports import Result

_NOBODY = "none"  # in a metric's label, where no provider was asked
_log = get_logger(__name__)
_sent, _latency = cache(metrics.SENT.labels), cache(metrics.LATENCY.labels)  # asked for with every mail


class Telling:
    """`clock` says how late a delivery was."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def all(self, ended: Sequence[Result], recorded: Sequence[Result]) -> None:
        """Those that are not among the recorded had lost their claim."""
        counted = {id(result) for result in recorded}
        for result in ended:
            if id(result) in counted:
                self._one(result)
            else:
                metrics.FENCED.labels(result.delivery.channel, result.provider or _NOBODY).inc()
                _log.warning("outcome_fenced", **result.delivery.log_fields, status=result.outcome.reason)

    def _one(self, result: Result) -> None:
        delivery, outcome = result.delivery, result.outcome
        labels = delivery.channel, result.provider or _NOBODY
        _count(outcome, *labels)
        if isinstance(outcome, Sent):
            told = {"provider": result.provider, "attempt": delivery.attempts + 1}
            _latency(*labels).observe((self._clock() - delivery.created_at).total_seconds())
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
            _sent(channel, provider).inc()
        case Retry():
            metrics.RETRIED.labels(channel, provider).inc()
        case Unknown():
            metrics.UNKNOWN.labels(channel, provider).inc()
        case Failed():
            metrics.FAILED.labels(channel, provider, outcome.reason).inc()
        case Returned():
            metrics.RETURNED.labels(channel, provider).inc()
