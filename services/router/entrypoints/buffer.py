"""The queue between Faust's consumer and the batcher, bounded by records and by bytes."""

from __future__ import annotations

from typing import Any

from mode.utils.queues import ThrowableQueue

from services.router import metrics


class BoundedBuffer(ThrowableQueue):
    """Full when either bound is reached; a single event that is larger than the bound still fits when it is alone.

    The consumer waits where Faust's own queue would make it pause partitions: with every partition paused, Faust's
    fetcher sleeps for a second at a time.
    """

    def __init__(self, *, max_records: int, max_bytes: int, **options: Any) -> None:
        self._bytes, self._max_bytes = 0, max_bytes
        super().__init__(maxsize=max_records, **options)

    def full(self) -> bool:
        return self.qsize() >= self.maxsize or self._bytes >= self._max_bytes

    def in_pressure_high_state(self, callback: Any) -> bool:  # noqa: ARG002 - Faust's signature
        return False

    def report(self) -> None:
        """Brings the gauges up to date."""
        metrics.QUEUED_EVENTS.set(self.qsize())
        metrics.QUEUED_BYTES.set(self._bytes)

    def clear(self) -> None:
        super().clear()
        self._bytes = 0

    def _put(self, item: Any) -> None:
        self._bytes += size(item)
        super()._put(item)

    def _get(self) -> Any:
        item = super()._get()
        self._bytes -= size(item)
        return item


def size(event: Any) -> int:
    """The bytes of an event's value."""
    value = event.message.value
    return len(value) if value is not None else 0
