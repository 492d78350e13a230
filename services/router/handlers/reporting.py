"""What a written batch says of itself: metrics, and log lines without content."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from libs.runtime.logging import get_logger
from libs.runtime.tracing import from_headers, trace_id
from services.router import metrics
from services.router.domain.broadcasting import Broadcast
from services.router.domain.incoming import Dead, Received
from services.router.domain.offsets import Fate
from services.router.domain.planning import Plan
from services.router.domain.scheduling import Schedule
from services.router.handlers.preparing import Unit
from services.router.ports import Writing, Written

_log = get_logger(__name__)


def report(writing: Writing, written: Written, judged: Sequence[Unit]) -> None:
    """Counts and logs what became of each record, once its transaction is committed."""
    fates: Counter[tuple[str, str]] = Counter()
    decisions: Counter[tuple[str, str, str]] = Counter()
    for unit, (_, step) in zip(judged, writing.units, strict=True):
        event = unit.event.event if isinstance(unit, Received) else "unknown"
        if isinstance(step, Plan):
            inserted = step.notification.key in written.places
            fates[event, (Fate.ACCEPTED if inserted else Fate.DUPLICATE).value] += 1
            if inserted:
                _report_plan(step, decisions)
        elif isinstance(step, Schedule | Broadcast):
            later = "scheduled" if isinstance(step, Schedule) else "broadcast"
            fates[event, later if (type(step), step.key) in written.taken else Fate.DUPLICATE.value] += 1
        else:
            fates[event, step.value] += 1
        if isinstance(unit, Dead):
            _log_dead(unit)
    for labels, count in fates.items():
        metrics.EVENTS.labels(*labels).inc(count)
    for decided, count in decisions.items():
        metrics.DECISIONS.labels(*decided).inc(count)
    if written.gaps:
        metrics.GAPS.inc(written.gaps)


def _report_plan(plan: Plan, decisions: Counter[tuple[str, str, str]]) -> None:
    event = plan.received.event
    for delivery in plan.deliveries:
        decisions[delivery.channel, delivery.decision.state, delivery.decision.reason] += 1
    if not (plan.notification.rooms or plan.deliveries or plan.expansions or plan.forwards):
        metrics.UNADDRESSED.labels(event.event).inc()
    for forward in plan.forwards:
        allowed = forward.topic is not None
        metrics.FORWARDS.labels("forwarded" if allowed else "not-allowed").inc()
        if not allowed:
            _log.warning("forward_not_allowed", recipient=forward.kind, name=forward.name, **_fields(plan))
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        status = {delivery.channel: delivery.decision.reason for delivery in plan.deliveries}
        _log.debug("notification_planned", status=status, rooms=len(plan.notification.rooms), **_fields(plan))


def _fields(plan: Plan) -> dict[str, object]:
    event = plan.received.event
    return {
        "tenant_id": event.tenant,
        "user_id": event.metadata.get("userId"),
        "notification_id": event.id,
        "notification_type": event.type,
        "channels": sorted({delivery.channel for delivery in plan.deliveries}),
        "trace_id": trace_id(plan.received.traceparent),
    }


def _log_dead(dead: Dead) -> None:
    record = dead.record
    _log.error(
        "event_dead",
        tenant_id=dead.tenant,
        notification_id=dead.id,
        status=dead.code,
        # A validator's or database's message may quote the value; the dead letter has it, the log does not.
        errors=[dead.field or dead.code],
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        trace_id=trace_id(from_headers(tuple(record.headers))),
    )
