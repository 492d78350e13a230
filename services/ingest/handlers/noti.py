"""The road from `noti`: read a batch, admit, produce, count."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from libs.kafka.record import Record
from libs.runtime.clock import iso
from libs.runtime.health import Progress
from libs.runtime.ids import Place
from libs.runtime.logging import get_logger
from libs.runtime.tracing import HEADER, accepted, trace_id
from libs.schemas.topics import NOTI_INVALID
from services.ingest.domain import dead_letters, refusals
from services.ingest.domain.accounting import Handled, Partition
from services.ingest.domain.admission import Accepted, Rules, admit_bytes
from services.ingest.domain.origins import GivenId, RecordOrigin, first_place, named_by_headers
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule, unknown
from services.ingest.errors import Permanent
from services.ingest.handlers.lanes import Lanes
from services.ingest.metrics import BATCH, EVENTS, PUBLISH_SECONDS, REFUSED
from services.ingest.ports.publishing import Catalogues, Clock, Outgoing, Publisher, Tenants

_log = get_logger(__name__)

_ROAD = "kafka"
_MAX_KEY_BYTES = 1024
_LOGGED_PER_BATCH = 20
_TELL_EVERY = 1.0


Verdict = Accepted | Refused


class TenantScope(NamedTuple):
    """Which tenants the topic may name, and whose its events are when they name none."""

    default: str
    allowed: frozenset[str]


class NotiBatches:
    """Hands batches of records on; what it returns is for the ledger."""

    def __init__(
        self,
        publisher: Publisher,
        lanes: Lanes,
        tenants: Tenants,
        catalogues: Catalogues,
        scope: TenantScope,
        clock: Clock,
    ) -> None:
        self._publisher, self._lanes, self._tenants, self._catalogues = publisher, lanes, tenants, catalogues
        self._scope, self._clock = scope, clock

    async def ready(self) -> None:
        """Before partitions are read that another process may have read: learns which tenants it diverted."""
        await self._lanes.refresh()

    async def hand_on(self, batch: Mapping[Partition, Sequence[Record]], progress: Progress) -> list[Handled]:
        """Admits and produces every record. Waits while Kafka is away; raises Retryable, and may then be repeated."""
        records = [record for partition in batch.values() for record in partition]
        verdicts = await self._produce(records, await self._judge(records), progress)
        _tell(records, verdicts)
        refused = {
            (r.topic, r.partition, r.offset) for r, v in zip(records, verdicts, strict=True) if isinstance(v, Refused)
        }
        return [
            Handled(
                partition,
                [record.offset for record in of_partition],
                frozenset(offset for topic, number, offset in refused if (topic, number) == partition),
            )
            for partition, of_partition in batch.items()
        ]

    async def _judge(self, records: Sequence[Record]) -> list[Verdict]:
        await self._catalogues.ready()
        rules = self._rules()
        verdicts = [_judge(record, rules) for record in records]
        if await self._tenants.learn(unknown(verdicts)):
            rules = self._rules()
            verdicts = [_judge(record, rules) for record in records]
        return verdicts

    def _rules(self) -> Rules:
        tenants = TenantRule(self._scope.default, self._scope.allowed, self._tenants.known)
        return Rules(self._catalogues.of, tenants, iso(self._clock()))

    async def _produce(
        self, records: Sequence[Record], verdicts: Sequence[Verdict], progress: Progress
    ) -> list[Verdict]:
        """Together; or one by one, so that a record that the brokers will never take does not hold up the others."""
        now, judged = iso(self._clock()), list(zip(records, verdicts, strict=True))
        try:
            await self._publish(await self._outgoing(judged, now), progress)
        except Permanent:
            return [await self._produce_one(record, verdict, progress) for record, verdict in judged]
        return list(verdicts)

    async def _produce_one(self, record: Record, verdict: Verdict, progress: Progress) -> Verdict:
        now = iso(self._clock())
        try:
            await self._publish(await self._outgoing([(record, verdict)], now), progress)
        except Permanent as fault:
            refused = Refused(refusals.TOO_LARGE, f"Kafka does not take it: {fault}")
            await self._publish([invalid(record, refused, now, keep_value=False)], progress)
            return refused
        return verdict

    async def _outgoing(self, judged: Sequence[tuple[Record, Verdict]], now: str) -> list[Outgoing]:
        placed = iter(await self._lanes.place([verdict for _, verdict in judged if isinstance(verdict, Accepted)]))
        return [next(placed) if isinstance(v, Accepted) else invalid(record, v, now) for record, v in judged]

    async def _publish(self, outgoing: list[Outgoing], progress: Progress) -> None:
        began = time.monotonic()
        publishing = asyncio.ensure_future(self._publisher.publish(outgoing))
        try:
            while not (await asyncio.wait({publishing}, timeout=_TELL_EVERY))[0]:
                progress.holding("Kafka has not acknowledged the records yet")
        except asyncio.CancelledError:
            publishing.cancel()
            raise
        publishing.result()
        PUBLISH_SECONDS.labels(_ROAD).observe(time.monotonic() - began)


def _judge(record: Record, rules: Rules) -> Verdict:
    named: GivenId | None = None
    trace = None
    place = Place(record.topic, record.partition, record.offset, record.timestamp)
    if record.headers:
        given, first = named_by_headers(record.headers), first_place(record.headers)
        if isinstance(given, Refused):
            return given
        if isinstance(first, Refused):
            return first
        named, place = given, first or place
        trace = next((accepted(value) for name, value in record.headers if name == HEADER), None)
    if record.key is not None and len(record.key) > _MAX_KEY_BYTES:
        return Refused(refusals.INVALID_KEY, f"a record's key may have {_MAX_KEY_BYTES} bytes", "key")
    return admit_bytes(record.value, RecordOrigin(*place, record.key, named, trace), rules)


def invalid(record: Record, refused: Refused, now: str, *, keep_value: bool = True) -> Outgoing:
    """The dead letter of a record that is refused."""
    origin = RecordOrigin(record.topic, record.partition, record.offset, record.timestamp, record.key)
    value = dead_letters.letter(refused, origin, record.value if keep_value else None, record.headers, now)
    return Outgoing(NOTI_INVALID.name, dead_letters.key(origin), value)


def _tell(records: Sequence[Record], verdicts: Sequence[Verdict]) -> None:
    BATCH.labels(_ROAD).observe(len(verdicts))
    for event, count in Counter(v.event for v in verdicts if isinstance(v, Accepted)).items():
        EVENTS.labels(_ROAD, event).inc(count)
    refused = [(r, v) for r, v in zip(records, verdicts, strict=True) if isinstance(v, Refused)]
    for code, count in Counter(verdict.code for _, verdict in refused).items():
        REFUSED.labels(_ROAD, code).inc(count)
    for record, verdict in refused[:_LOGGED_PER_BATCH]:
        _log.warning("event_refused", errors=verdict.code, field=verdict.field, **_place(record))
    if len(refused) > _LOGGED_PER_BATCH:
        _log.warning("events_refused", count=len(refused), errors=sorted({verdict.code for _, verdict in refused}))
    if len(verdicts) > len(refused):
        _log.debug("events_accepted", count=len(verdicts) - len(refused))


def _place(record: Record) -> dict[str, object]:
    trace = next((trace_id(accepted(value)) for name, value in record.headers or () if name == HEADER), None)
    place: dict[str, object] = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return place if trace is None else place | {"trace_id": trace}
