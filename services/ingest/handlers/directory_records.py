"""Records of the topic `directory`: applied, or refused to `noti.invalid` like a bad event."""

from __future__ import annotations

from collections.abc import Sequence

from libs.kafka.record import Record
from libs.runtime.clock import iso
from libs.runtime.logging import get_logger
from services.ingest.domain import refusals
from services.ingest.domain.directory import Change
from services.ingest.domain.directory_records import change_of
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule, unknown
from services.ingest.errors import Unstorable
from services.ingest.handlers.directory import DirectoryChanges
from services.ingest.handlers.noti import TenantScope, invalid
from services.ingest.metrics import REFUSED
from services.ingest.ports.publishing import Clock, Publisher, Tenants

_log = get_logger(__name__)
_ROAD = "directory"

Verdict = Change | Refused


class DirectoryRecords:
    """Applies batches in their order; raises Retryable, and may then be called again."""

    def __init__(
        self, changes: DirectoryChanges, publisher: Publisher, tenants: Tenants, scope: TenantScope, clock: Clock
    ) -> None:
        self._changes, self._publisher, self._tenants = changes, publisher, tenants
        self._scope, self._clock = scope, clock

    async def apply(self, records: Sequence[Record]) -> None:
        """Writes what is valid; the rest goes to `noti.invalid`."""
        verdicts = self._judge(records)
        if await self._tenants.learn(unknown(verdicts)):
            verdicts = self._judge(records)
        verdicts = await self._write(verdicts)
        refused = [(r, v) for r, v in zip(records, verdicts, strict=True) if isinstance(v, Refused)]
        if refused:
            await self._publisher.publish([invalid(record, why, iso(self._clock())) for record, why in refused])
        for record, why in refused:
            REFUSED.labels(_ROAD, why.code).inc()
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            _log.warning("entry_refused", errors=why.code, field=why.field, **place)

    async def _write(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Together; or one by one, so that an entry that cannot be stored does not hold up the others."""
        try:
            await self._changes.apply([v for v in verdicts if isinstance(v, Change)], road=_ROAD)
        except Unstorable:
            return [await self._write_one(verdict) for verdict in verdicts]
        return verdicts

    async def _write_one(self, verdict: Verdict) -> Verdict:
        if isinstance(verdict, Change):
            try:
                await self._changes.apply([verdict], road=_ROAD)
            except Unstorable as fault:
                return Refused(refusals.NOT_STORABLE, str(fault))
        return verdict

    def _judge(self, records: Sequence[Record]) -> list[Verdict]:
        rule = TenantRule(self._scope.default, self._scope.allowed, self._tenants.known)
        return [change_of(record.key, record.value, rule) for record in records]
