"""Dead letters of deliveries that have failed.

The failure is recorded first, with a time: that time stands until the dead letter is acknowledged, so a process that
dies in between leaves it to the next. A dead letter may be written twice; its key is the delivery's id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from libs.schemas.records import DeadLetter, Source
from services.delivery import metrics
from services.delivery.handlers.patience import patiently
from services.delivery.ports import DeadLetters, Failure, Ledger

_BATCH = 200
_log = get_logger(__name__)


class Burial:
    """Writes what is missing. `topic` is the work topic that the deliveries belong to."""

    def __init__(self, ledger: Ledger, letters: DeadLetters, topic: str, clock: Callable[[], datetime]) -> None:
        self._ledger, self._letters, self._topic, self._clock = ledger, letters, topic, clock

    async def all(self, progress: Progress, stop: asyncio.Event) -> None:
        """Returns when no failure is without its dead letter. Raises Stopped."""
        while failures := await patiently(lambda: self._ledger.unburied(_BATCH), progress, stop, "postgres"):
            letters = [self._letter(failure) for failure in failures]
            await patiently(partial(self._letters.write, letters), progress, stop, "kafka")
            await patiently(partial(self._ledger.buried, failures), progress, stop, "postgres")
            for failure in failures:
                metrics.DEAD.labels(failure.channel).inc()
                _log.error(
                    "delivery_dead",
                    tenant_id=failure.tenant,
                    delivery=str(failure.id),
                    channels=[failure.channel],
                    status="failed",
                    errors=[failure.reason],
                )

    def _letter(self, failure: Failure) -> DeadLetter:
        headers = {"channel": failure.channel, "notification": str(failure.notification)}
        if failure.traceparent:
            headers["traceparent"] = failure.traceparent
        return DeadLetter(
            code=failure.reason,
            reason=f"given up after {failure.attempts} attempts",
            source=Source(topic=self._topic),
            source_timestamp=failure.created_at,
            tenant=failure.tenant,
            id=failure.id,
            headers=headers,
            failed_at=self._clock(),
            service="delivery",
        )
