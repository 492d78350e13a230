"""Events that come by HTTP: admitted, given an id, produced, and only then accepted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.runtime.clock import iso
from libs.runtime.logging import get_logger
from services.ingest.domain import documents, identifiers, notifications, refusals
from services.ingest.domain.access import Principal
from services.ingest.domain.admission import Accepted, Rules, admit
from services.ingest.domain.origins import RequestOrigin
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule, unknown
from services.ingest.errors import Overloaded, Retryable
from services.ingest.handlers.lanes import Lanes
from services.ingest.metrics import BATCH, EVENTS, PUBLISH_SECONDS, REFUSED, UNAUTHORISED
from services.ingest.ports.publishing import Catalogues, Clock, Idempotency, Publisher, Tenants

_log = get_logger(__name__)

_ROAD = "http"
#: While Kafka is slow, what waits for it is bounded: further callers are told to come back.
_MAX_BYTES_UNDER_WAY = 64 * 1024 * 1024
_RETRY_AFTER = 2.0

Verdict = Accepted | Refused


class KeyReused(Exception):
    """The Idempotency-Key stands for a request with another body."""


class Submission(NamedTuple):
    """One request: its documents, who sent it and what stood beside them.

    `is_list` tells a list of one from a single event. `is_direct` are notifications rather than events. `suspicious`
    documents are to be walked first. `repeat` is (Idempotency-Key, hash of the request).
    """

    principal: Principal
    documents: Sequence[Any]
    is_list: bool
    is_direct: bool
    suspicious: bool
    traceparent: str | None
    repeat: tuple[str, bytes] | None


class Publishing:
    """Takes submissions. Raises Retryable (nothing is promised), or KeyReused."""

    def __init__(
        self,
        publisher: Publisher,
        lanes: Lanes,
        tenants: Tenants,
        idempotency: Idempotency,
        catalogues: Catalogues,
        clock: Clock,
        *,
        seconds: float,
    ) -> None:
        self._publisher, self._lanes = publisher, lanes
        self._tenants, self._idempotency = tenants, idempotency
        self._catalogues, self._clock, self._seconds = catalogues, clock, seconds
        self._bytes_under_way = 0

    async def submit(self, submission: Submission) -> list[Verdict]:
        """A verdict for each document, in their order; the accepted ones are in Kafka."""
        root = uuid7()
        verdicts = await self._judge_known(submission, root)
        if submission.repeat is not None and any(isinstance(v, Accepted) for v in verdicts):
            kept = await self._reserve(submission, root)
            if kept != root:
                verdicts = self._judge(submission, kept)
        await self._publish([v for v in verdicts if isinstance(v, Accepted)])
        _tell(submission, verdicts)
        return verdicts

    async def _reserve(self, submission: Submission, root: UUID) -> UUID:
        assert submission.repeat is not None
        key, body_hash = submission.repeat
        kept = await self._idempotency.reserve(submission.principal.tenant, key, body_hash, root)
        if kept is None:
            raise KeyReused
        return kept

    async def _judge_known(self, submission: Submission, root: UUID) -> list[Verdict]:
        await self._catalogues.ready()
        verdicts = self._judge(submission, root)
        if await self._tenants.learn(unknown(verdicts)):
            verdicts = self._judge(submission, root)
        return verdicts

    def _judge(self, submission: Submission, root: UUID) -> list[Verdict]:
        principal, now = submission.principal, iso(self._clock())
        rules = Rules(
            self._catalogues.of, TenantRule(principal.tenant, principal.tenants, self._tenants.known), accepted_at=now
        )
        id_of = identifiers.of_many(root) if submission.is_list else identifiers.of_one(root)
        judge = _judge_direct if submission.is_direct else _judge_event
        verdicts: list[Verdict] = []
        for index, document in enumerate(submission.documents):
            fault = documents.fault(document) if submission.suspicious else None
            origin = RequestOrigin(id_of(index), submission.traceparent)
            verdicts.append(fault or judge(document, origin, rules))
        return verdicts

    async def _publish(self, accepted: Sequence[Accepted]) -> None:
        if not accepted:
            return
        size = sum(len(event.value) for event in accepted)
        if self._bytes_under_way + size > _MAX_BYTES_UNDER_WAY:
            raise Overloaded("too much waits for Kafka already", _RETRY_AFTER)
        began = time.monotonic()
        self._bytes_under_way += size
        try:
            async with asyncio.timeout(self._seconds):
                await self._publisher.publish(await self._lanes.place(accepted))
        except TimeoutError:
            raise Retryable(f"Kafka did not answer in {self._seconds:g} s", _RETRY_AFTER) from None
        finally:
            self._bytes_under_way -= size
        PUBLISH_SECONDS.labels(_ROAD).observe(time.monotonic() - began)


def _judge_event(document: Any, origin: RequestOrigin, rules: Rules) -> Verdict:
    return admit(document, origin, rules)


def _judge_direct(document: Any, origin: RequestOrigin, rules: Rules) -> Verdict:
    event = notifications.as_event(document, rules)
    if isinstance(event, Refused):
        return event
    verdict = admit(event.document, origin, rules, key=event.key)
    return notifications.place(verdict) if isinstance(verdict, Refused) else verdict


def _tell(submission: Submission, verdicts: Sequence[Verdict]) -> None:
    BATCH.labels(_ROAD).observe(len(verdicts))
    for event, count in Counter(v.event for v in verdicts if isinstance(v, Accepted)).items():
        EVENTS.labels(_ROAD, event).inc(count)
    codes = Counter(v.code for v in verdicts if isinstance(v, Refused))
    for code, count in codes.items():
        REFUSED.labels(_ROAD, code).inc(count)
    principal = submission.principal
    if codes:
        who = {"tenant_id": principal.tenant, "actor": principal.actor}
        _log.warning("events_refused", count=codes.total(), errors=sorted(codes), **who)
    for code in (refusals.TENANT_NOT_ALLOWED, refusals.PLATFORM_NOT_ALLOWED):
        if foreign := codes[code]:
            UNAUTHORISED.labels(code).inc(foreign)
