"""One batch, step by step: decode, decide, write in one transaction, hand on. The caller acknowledges afterwards."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from libs.runtime.clock import Clock, iso, utc_now
from libs.runtime.logging import get_logger
from services.router import metrics
from services.router.domain.handover import DueDelivery, Emission, Handover, Retraction
from services.router.domain.incoming import Dead, Received, Record, condemned, decode
from services.router.domain.notification import Key
from services.router.domain.offsets import Stretch, halves
from services.router.domain.planning import Plan
from services.router.errors import Missing
from services.router.handlers.holding import Holding
from services.router.handlers.preparing import Preparation, Unit
from services.router.handlers.reporting import report
from services.router.ports import Interest, KafkaLog, Ledger, Outbox, Writing, Written

REREAD_LIMIT = 500

_log = get_logger(__name__)


#: Returns when everything that records follow has been dealt with.
Follow = Callable[[Sequence[Record]], Awaitable[None]]


async def follow_nothing(_records: Sequence[Record]) -> None:
    """Records of the fast lane need not wait."""


class BatchHandler:
    """Deals with batches one at a time. A batch that comes twice has the effect of one.

    `on_group` is called when a group waits to be decided member by member. `follow` is asked for whatever is dealt
    with, also for what is read again.
    """

    def __init__(
        self,
        preparation: Preparation,
        ledger: Ledger,
        outbox: Outbox,
        log: KafkaLog,
        *,
        holding: Holding,
        on_group: Callable[[], None],
        follow: Follow = follow_nothing,
        clock: Clock = utc_now,
    ) -> None:
        self._preparation, self._ledger, self._outbox, self._kafka_log = preparation, ledger, outbox, log
        self._holding, self._on_group, self._follow, self._clock = holding, on_group, follow, clock

    async def handle(self, records: Sequence[Record]) -> None:
        """Returns when the batch is written and handed on. Raises GivenBack when the process stops."""
        metrics.BATCH_EVENTS.observe(len(records))
        while records:
            try:
                await self._deal_with(records, None)
            except Missing as missing:
                await self.handle(records[: missing.index])
                await self._read_again(missing.stretch)
                records = records[missing.index :]
            else:
                return

    async def _deal_with(self, records: Sequence[Record], verified: Stretch | None) -> None:
        await self._follow(records)
        began, handover = time.perf_counter(), Handover()
        await self._write([decode(record) for record in records], verified, handover)
        written = time.perf_counter()
        metrics.WRITE_SECONDS.observe(written - began)
        await self._holding.until_done("hand-on", partial(self._hand_on, handover))
        metrics.HAND_ON_SECONDS.observe(time.perf_counter() - written)
        self._holding.progress.made()

    async def _hand_on(self, handover: Handover) -> None:
        rooms = handover.rooms()
        # Only after the commit: a gateway registers its interest before it reads the log, so none is missed.
        interest = await self._ledger.interest(rooms) if rooms else Interest()
        if interest.people:
            handover.silence(self._preparation.silent(interest.people))
        await self._outbox.hand_on(handover, interest.slots)

    async def _write(self, units: Sequence[Unit], verified: Stretch | None, handover: Handover) -> None:
        """Writes the units in one transaction; where a value is refused, in halves, until the culprit stands alone."""
        writing, judged = await self._holding.until_done("decide", partial(self._preparation.prepare, units, verified))
        try:
            written = await self._holding.until_done("write", partial(self._ledger.write, writing))
        except Missing:
            raise
        except Exception as error:  # noqa: BLE001 - `until_done` raises only data faults
            await self._bisect(judged, verified, handover, error)
        else:
            await self._note(writing, judged, written, handover)

    async def _bisect(
        self, units: Sequence[Unit], verified: Stretch | None, handover: Handover, error: Exception
    ) -> None:
        suspects = sum(isinstance(unit, Received) for unit in units)
        if suspects == 0:
            raise error  # not a value of an event: the accounting itself was refused
        if suspects == 1:
            reason = f"{type(error).__name__}: {error}"
            units = [condemned(u, "unstorable-value", reason) if isinstance(u, Received) else u for u in units]
            await self._write(units, verified, handover)
            return
        middle = len(units) // 2
        left, right = halves(verified, units[middle].record.offset)
        await self._write(units[:middle], left, handover)
        await self._write(units[middle:], right, handover)

    async def _note(self, writing: Writing, judged: Sequence[Unit], written: Written, handover: Handover) -> None:
        """Adds to the handover what this transaction wrote, and what earlier ones wrote of the same notifications."""
        plans = [plan for _, plan in writing.units if isinstance(plan, Plan)]
        before = [plan.notification.key for plan in plans if plan.notification.key not in written.places]
        emissions, due = await self._read_back(before) if before else ([], [])
        for plan in plans:
            places = written.places.get(plan.notification.key)
            if places:
                emissions.append(Emission(plan.notification, places))
            handover.forwards += [(f.topic, plan.received) for f in plan.forwards if f.topic is not None]
        at = iso(self._clock())
        handover.retractions += [Retraction(one, where, at) for one, where in written.withdrawn if where]
        handover.emissions += emissions
        handover.deliveries += [*due, *written.due]
        handover.dead += [unit for unit in judged if isinstance(unit, Dead)]
        if any(plan.expansions for plan in plans):
            self._on_group()
        report(writing, written, judged)

    async def _read_back(self, keys: Sequence[Key]) -> tuple[list[Emission], list[DueDelivery]]:
        return await self._holding.until_done("read-back", partial(self._ledger.read_back, keys))

    async def _read_again(self, stretch: Stretch) -> None:
        """Deals with offsets that the consumer passed over: they are read by offset, beside the consumer group."""
        topic, partition = stretch.partition
        metrics.LOST_OFFSETS.inc(stretch.stop - stretch.start)
        _log.error("offsets_passed_over", topic=topic, partition=partition, start=stretch.start, stop=stretch.stop)
        start = stretch.start
        while start < stretch.stop:
            rest = Stretch(stretch.partition, start, stretch.stop)
            read = partial(self._kafka_log.read, rest, REREAD_LIMIT)
            records, reached = await self._holding.until_done("read-again", read)
            await self._deal_with(records, Stretch(stretch.partition, start, reached))
            start = reached
