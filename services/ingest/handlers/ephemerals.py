"""Ephemeral events: judged, and handed to the gateways where somebody listens. Nothing is kept of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from libs.schemas.records import Ephemeral
from libs.schemas.topics import GATEWAY_INBOX
from services.ingest.domain import documents
from services.ingest.domain.access import Principal
from services.ingest.domain.ephemerals import Rules, judge
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule, unknown
from services.ingest.errors import Retryable
from services.ingest.live_ports import Listeners, Room
from services.ingest.metrics import EPHEMERALS, REFUSED
from services.ingest.ports.publishing import Catalogues, Outgoing, Publisher, Tenants

_ROAD = "http"


class Ephemerals:
    """`seconds` may an answer take; with the brokers away the caller is told to try again."""

    def __init__(
        self, publisher: Publisher, tenants: Tenants, catalogues: Catalogues, listeners: Listeners, *, seconds: float
    ) -> None:
        self._publisher, self._tenants, self._catalogues = publisher, tenants, catalogues
        self._listeners, self._seconds = listeners, seconds

    async def send(
        self, principal: Principal, items: Sequence[Any], traceparent: str | None, *, suspicious: bool
    ) -> list[int | Refused]:
        """For each: to how many gateways it went, or why it was refused. Raises Retryable."""
        await self._catalogues.ready()
        verdicts = self._judge(principal, items, traceparent, suspicious=suspicious)
        if await self._tenants.learn(unknown(verdicts)):
            verdicts = self._judge(principal, items, traceparent, suspicious=suspicious)
        for verdict in verdicts:
            if isinstance(verdict, Refused):
                REFUSED.labels(_ROAD, verdict.code).inc()
        return await self._hand_on(verdicts)

    def _judge(
        self, principal: Principal, items: Sequence[Any], traceparent: str | None, *, suspicious: bool
    ) -> list[Ephemeral | Refused]:
        known = TenantRule(principal.tenant, principal.tenants, self._tenants.known)
        rules = Rules(known, self._catalogues.of)
        faults = [documents.fault(item) if suspicious else None for item in items]
        return [fault or judge(item, rules, traceparent) for item, fault in zip(items, faults, strict=True)]

    async def _hand_on(self, verdicts: Sequence[Ephemeral | Refused]) -> list[int | Refused]:
        asked = {(v.tenant, room) for v in verdicts if isinstance(v, Ephemeral) for room in v.rooms}
        try:
            async with asyncio.timeout(self._seconds):
                slots = await self._listeners.of(sorted(asked)) if asked else {}
                records = [_records(v, slots) if isinstance(v, Ephemeral) else v for v in verdicts]
                if outgoing := [record for those in records if isinstance(those, list) for record in those]:
                    await self._publisher.publish(outgoing)
        except TimeoutError as error:
            raise Retryable("Kafka or PostgreSQL did not answer in time") from error
        EPHEMERALS.inc(sum(isinstance(those, list) for those in records))
        return [len(those) if isinstance(those, list) else those for those in records]


def _records(record: Ephemeral, slots: Mapping[Room, Sequence[int]]) -> list[Outgoing]:
    """One for each gateway, however many of its rooms somebody listens to there."""
    value = record.model_dump_json(by_alias=True, exclude_none=True).encode()
    those = {slot for room in record.rooms for slot in slots.get((record.tenant, room), ())}
    return [Outgoing(GATEWAY_INBOX.name, None, value, record.traceparent, slot) for slot in sorted(those)]
