"""Shows entries of logs to sessions: each entry is shaped once, whoever it is for."""

from __future__ import annotations

from collections.abc import Iterable

from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from libs.runtime.tracing import trace_id
from libs.schemas.records import NotificationEmission
from services.gateway import metrics
from services.gateway.domain.dialects import root
from services.gateway.domain.logs import Entry
from services.gateway.domain.rooms import HeldLog
from services.gateway.domain.session import Session
from services.gateway.ports import Sockets

_log = get_logger(__name__)

_NAMESPACE = "/"


class Emitter:
    """Nothing here waits, so what is emitted to a socket keeps its order."""

    def __init__(self, sockets: Sockets, clock: Clock) -> None:
        self._sockets, self._clock = sockets, clock

    def live(self, log: HeldLog, entry: Entry) -> None:
        """Shows an entry to everybody who is shown the log live."""
        log.recent.append(entry)
        sids = [session.sid for session in log.audience(entry)]
        if sids:
            self._emit(sids, log.key.name, entry)
            self._note(log, entry, len(sids))

    def to(self, session: Session, name: str, entry: Entry) -> bool:
        """Shows one session an entry that it missed; False when the entry does not exist there for it."""
        record = entry.record
        if isinstance(record, NotificationEmission) and session.readable.home(record.rooms) != name:
            return False
        return self._emit([session.sid], name, entry)

    def say(self, sids: Iterable[str], emission: root.Emission) -> None:
        """Emits something that is in no log."""
        event, payload = emission
        self._sockets.emit(_NAMESPACE, sids, event, payload)
        metrics.EMISSIONS.labels(event).inc()

    def drop(self, session: Session) -> None:
        """Closes the socket of a session that cannot go on here."""
        self._sockets.drop(session.sid)

    def _emit(self, sids: list[str], name: str, entry: Entry) -> bool:
        emission = root.emission(name, entry)
        if emission is None:
            return False
        self.say(sids, emission)
        return True

    def _note(self, log: HeldLog, entry: Entry, sockets: int) -> None:
        record = entry.record
        if not isinstance(record, NotificationEmission):
            return
        metrics.EVENT_SECONDS.observe(max(0.0, (self._clock() - record.created_at).total_seconds()))
        _log.debug(
            "notification_shown",
            tenant_id=log.key.tenant,
            notification_id=str(record.id),
            notification_type=record.type,
            room=log.key.name,
            sockets=sockets,
            trace_id=None if record.traceparent is None else trace_id(record.traceparent),
        )
