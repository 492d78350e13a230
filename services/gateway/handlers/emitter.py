"""Shows entries of logs to sessions: each entry is shaped once for each dialect, whoever it is for."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from libs.runtime.tracing import trace_id
from services.gateway import metrics
from services.gateway.domain.acknowledging import Unacknowledged
from services.gateway.domain.dialects.dialect import Dialect, Emission
from services.gateway.domain.logs import Entry
from services.gateway.domain.notification import Notification
from services.gateway.domain.rooms import HeldLog
from services.gateway.domain.session import Session
from services.gateway.handlers.repeats import Repeats
from services.gateway.ports import Sockets

_log = get_logger(__name__)

_FEW = 16  # live sessions up to which it is not worth remembering which of them are told the same


class Emitter:
    """Nothing here waits, so what is emitted to a socket keeps its order."""

    def __init__(self, sockets: Sockets, clock: Clock) -> None:
        self._sockets, self._clock = sockets, clock
        self._traces = logging.getLogger(__name__).isEnabledFor(logging.DEBUG)
        self.shown: Sequence[Callable[[HeldLog], None]] = ()  # who hears that a log has shown something live
        self.told: Callable[[Session], None] = lambda _session: None  # hears who was sent something it had missed
        self._repeats = Repeats()
        self._waited: dict[str, Session] = {}  # those that acknowledge: mostly nobody, so that live costs nothing more

    def live(self, log: HeldLog, entry: Entry) -> None:
        """Shows an entry to everybody who is shown the log live."""
        log.remember(entry)
        if len(log.live) > _FEW and log.is_for_all(entry) and not self._waited:
            shown = self._to_crowd(log, entry)
        else:
            sessions, name = _wanting(log.audience(entry), entry), log.key.name
            shown = self.tell(sessions, lambda dialect: dialect.entry(name, entry))
            if self._waited:
                self._wait(sessions, name, entry)
        if shown:
            for hear in self.shown:
                hear(log)
            self._note(log, entry, shown)

    def _to_crowd(self, log: HeldLog, entry: Entry) -> int:
        """As for a few, but who is told the same is not looked for with every entry; how many were told."""
        (circles, choosy), name = log.live.crowd, log.key.name
        told = self.tell(_wanting(choosy, entry), lambda dialect: dialect.entry(name, entry))
        for sessions, sids in circles:
            emission = sessions[0].dialect.entry(name, entry)
            if emission is not None:
                self._send(sessions, sids, emission)
                told += len(sids)
        return told

    def wait_for(self, session: Session) -> None:
        """From now on it is noted what the session is sent, until it acknowledges that."""
        if session.unacknowledged is None:
            session.unacknowledged = Unacknowledged()
        self._waited[session.sid] = session

    def waited(self) -> list[Session]:
        """The sessions that acknowledge."""
        return list(self._waited.values())

    def forget(self, session: Session) -> None:
        """The session is over."""
        self._waited.pop(session.sid, None)

    def to(self, session: Session, name: str, entry: Entry) -> bool:
        """Shows one session an entry that it missed; False when the entry does not exist there for it."""
        if not _is_for(session, name, entry):
            return False
        self._wait([session], name, entry)
        self.told(session)
        shape = Dialect.entry if session.is_own(name) else self._repeats.shape
        emission = shape(session.dialect, name, entry)
        if emission is not None:
            self._emit([session], emission)
        return emission is not None

    def several(self, session: Session, entries: Sequence[tuple[str, Entry]], unread: int) -> None:
        """Shows one session entries that exist there for it: as one event where its dialect has one for many."""
        wanted = [(name, entry) for name, entry in entries if session.wants(entry.record)]
        if session.dialect.batches and len(wanted) > 1:
            for name, entry in wanted:
                self._wait([session], name, entry)
            self.told(session)
            self.say(session, session.dialect.batch(wanted, unread))
            return
        for name, entry in wanted:
            self.to(session, name, entry)

    def again(self, session: Session, name: str, entry: Entry) -> bool:
        """Repeats an entry. Without its position: where the client stands it knows better by now."""
        if not _is_for(session, name, entry) or (emission := session.dialect.entry(name, entry)) is None:
            return False
        payload = {key: value for key, value in emission.payload.items() if key != "position"}
        self.say(session, emission._replace(payload=payload | {"redelivered": True}))
        return True

    def tell(self, sessions: Iterable[Session], shape: Callable[[Dialect], Emission | None]) -> int:
        """Tells sessions something, shaped once for each namespace; returns how many were told."""
        told = 0
        for those in _by_namespace(sessions):
            emission = shape(those[0].dialect)
            if emission is not None:
                self._emit(those, emission)
                told += len(those)
        return told

    def say(self, session: Session, emission: Emission) -> None:
        """Tells one session something that is in no log."""
        self._emit([session], emission)

    def greet(self, session: Session, emission: Emission) -> None:
        """Tells a session its first word, and then what came up since it was admitted."""
        unsaid, session.unsaid = session.unsaid or [], None
        for first in (emission, *unsaid):
            self._emit([session], first)

    def answer(self, namespace: str, sid: str, emission: Emission) -> None:
        """Tells a socket that has no session."""
        self._sockets.emit(namespace, [sid], emission.event, emission.payload)
        metrics.EMISSIONS.counts[namespace,] += 1

    def drop(self, session: Session) -> None:
        """Closes the socket of a session that cannot go on here."""
        self._sockets.drop(session.namespace, session.sid)

    def _emit(self, sessions: Iterable[Session], emission: Emission) -> None:
        """To sessions of one namespace."""
        ready = [session for session in sessions if session.unsaid is None or not _kept(session, emission)]
        if ready:
            self._send(ready, [session.sid for session in ready], emission)

    def _send(self, sessions: Sequence[Session], sids: Sequence[str], emission: Emission) -> None:
        (event, payload, personal), namespace = emission, sessions[0].namespace
        if personal is None:
            self._sockets.emit(namespace, sids, event, payload)
        else:
            readers = {session.sid: session.reader for session in sessions}
            self._sockets.emit_personal(namespace, readers, event, payload, personal)
        metrics.EMISSIONS.counts[namespace,] += 1

    def _wait(self, sessions: Iterable[Session], name: str, entry: Entry) -> None:
        now = self._clock()
        for session in sessions:
            if session.unacknowledged is not None:
                session.unacknowledged.note(name, entry, now)

    def _note(self, log: HeldLog, entry: Entry, sockets: int) -> None:
        record = entry.record
        if not isinstance(record, Notification):
            return
        metrics.EVENT_SECONDS.observe(max(0.0, (self._clock() - record.created_at).total_seconds()))
        if not self._traces:
            return
        _log.debug(
            "notification_shown",
            tenant_id=log.key.tenant,
            notification_id=record.id,
            notification_type=record.type,
            room=log.key.name,
            sockets=sockets,
            trace_id=None if record.traceparent is None else trace_id(record.traceparent),
        )


def _is_for(session: Session, name: str, entry: Entry) -> bool:
    """Whether the entry exists in this log for the session, and is of a type that it wants."""
    record = entry.record
    if isinstance(record, Notification) and session.readable.home(record.rooms) != name:
        return False
    return session.wants(record)


def _by_namespace(sessions: Iterable[Session]) -> Iterable[list[Session]]:
    listed = list(sessions)
    if len(listed) == 1:
        return [listed]
    listeners: defaultdict[str, list[Session]] = defaultdict(list)
    for session in listed:
        listeners[session.namespace].append(session)
    return listeners.values()


def _wanting(sessions: Iterable[Session], entry: Entry) -> list[Session]:
    record = entry.record
    for_all = not (isinstance(record, Notification) and record.excluded)
    return [session for session in sessions if (for_all and session.wants_all) or session.wants(record)]


def _kept(session: Session, emission: Emission) -> bool:
    """Nothing reaches a client before the answer to its connection: it is kept for then."""
    if session.unsaid is None:
        return False
    session.unsaid.append(emission)
    return True
