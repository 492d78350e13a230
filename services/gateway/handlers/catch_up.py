"""Sends a session what it missed, in order, until it stands where its logs stand and is shown them live.

The step from missed to live has no await in it, so there is neither a gap nor a repeat.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from services.gateway import metrics
from services.gateway.domain import portions, resume
from services.gateway.domain.inbox import reader
from services.gateway.domain.logs import Entry, Head, LogKey, Stretch, wire_name
from services.gateway.domain.notification import Notification
from services.gateway.domain.rooms import HeldLog, HeldLogs
from services.gateway.domain.session import Session
from services.gateway.errors import Retryable
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.following import Following
from services.gateway.handlers.passages import Passages
from services.gateway.ports import Logs, Unread

logger = get_logger(__name__)

_MANY = 20  # entries from which they come as one event, where the dialect has one for many
_READERS = 8  # sessions without a position that read logs at once


@dataclass(frozen=True, slots=True)
class Limits:
    """How many entries a client is sent: `newest` without a position, `missed` with one; `portion` bytes in one go."""

    newest: int
    missed: int
    portion: int


class CatchUp:
    """Plans where a session begins in its logs, and brings it from there to where they stand."""

    def __init__(
        self,
        held: HeldLogs,
        logs: Logs,
        unread: Unread,
        following: Following,
        emitter: Emitter,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._held, self._logs, self._following, self._emitter = held, logs, following, emitter
        self._unread = unread
        self._clock, self._limits = clock, limits
        self._reading, self._passages = asyncio.Semaphore(_READERS), Passages(logs.entries)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def plan(
        self, session: Session, given: resume.Position | None, known: Mapping[LogKey, Head]
    ) -> dict[str, list[str]]:
        """Sets where the session begins; the logs (by name) that it must fetch anew, by reason.

        `known` are the true heads of its logs, not what we have followed them up to: another gateway may have been
        quicker, and have shown the client more.
        """
        logs = self._held.of(session)
        if given is None:
            session.behind = {name: known[log.key].seq for name, log in logs.items()}
            session.newest = True
            return {}
        names = {wire_name(name): name for name in logs}
        heads = {wire: known[logs[name].key] for wire, name in names.items()}
        plan = resume.plan(given, session.readable, heads, self._limits.missed)
        session.behind = {names[wire]: seq for wire, seq in plan.begin.items()}
        return {reason: [names[wire] for wire in wires] for reason, wires in plan.resync.items()}

    def start(self, session: Session) -> None:
        """Begins to catch up, unless it is being done already. Who has missed nothing is live when this returns."""
        running = self._tasks.get(session.sid)
        if (running is None or running.done()) and not self._at_once(session):
            task = self._tasks[session.sid] = asyncio.create_task(self._run(session))
            task.add_done_callback(lambda task: self._ended(session, task))

    def cancel(self, session: Session) -> None:
        """The session is over."""
        if task := self._tasks.get(session.sid):
            task.cancel()

    def _ended(self, session: Session, task: asyncio.Task[None]) -> None:
        if self._tasks.get(session.sid) is task:
            del self._tasks[session.sid]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("catch_up_failed", tenant_id=session.tenant, user_id=session.reader, exc_info=error)

    def _at_once(self, session: Session) -> bool:
        """Catches up where that needs no database, as for most who connect; whether it is done."""
        if session.newest:
            if session.dialect.batches or _readable_so_far(session):
                return False
            self._begun(session)
        done = self._due(session) == ({}, None)
        if done:
            metrics.CATCH_UPS.inc()
        return done

    async def _run(self, session: Session) -> None:
        while not session.is_over() and (session.newest or session.due()):
            try:
                if session.newest:
                    await self._newest(session)
                await self._round(session)
            except Retryable as error:
                logger.warning("catch_up_held", tenant_id=session.tenant, user_id=session.reader, errors=[str(error)])
                await asyncio.sleep(error.after)
            except Exception:  # whatever it is: a client that is left behind must come again; it is raised again
                self._emitter.drop(session)
                raise
        metrics.CATCH_UPS.inc()

    async def _newest(self, session: Session) -> None:
        """The newest entries that nothing of the person's has acknowledged, then the advice to fetch the rest."""
        limit = self._limits.newest
        wanted = _readable_so_far(session)
        unread = await self._count(session) if session.dialect.batches else 0
        found: dict[str, list[Entry]] = {}
        if wanted and limit:
            async with self._reading:
                found = await self._logs.newest(session.person, wanted, limit)
        shown = [(name, entry) for name, entry in _in_order(found) if _exists(session, name, entry)]
        newest = portions.newest(shown[max(0, len(shown) - limit) :], self._limits.portion)
        self._emitter.several(session, newest, unread)
        self._begun(session)

    def _begun(self, session: Session) -> None:
        session.newest = False
        self.resync(session, resume.NO_POSITION, list(session.behind))

    async def _count(self, session: Session) -> int:
        return await self._unread.unread_count(reader(session.identity), self._clock())

    def resync(self, session: Session, reason: str, names: Iterable[str]) -> None:
        """Tells the client to fetch anew what it shows of these logs (by log name)."""
        logs = self._held.of(session)
        position = {wire_name(n): Head(logs[n].followed.epoch, session.behind[n]) for n in names if n in logs}
        self._emitter.say(session, session.dialect.resync(reason, position, self._clock()))
        metrics.RESYNCS.labels(reason).inc()

    async def _round(self, session: Session) -> None:
        wanted, early = self._due(session)
        if wanted:
            await self._send(session, wanted)
        elif early is not None:
            await self._following.advanced(early)

    def _due(self, session: Session) -> tuple[dict[HeldLog, Stretch], HeldLog | None]:
        """What to send next, and a log of which the session was shown more elsewhere; it is live in all others."""
        wanted: dict[HeldLog, Stretch] = {}
        early: HeldLog | None = None
        for name in session.due():
            held = self._held.of(session).get(name)
            if held is None:
                session.caught_up(name)
                continue
            stretch = self._missed(session, held)
            if stretch is None:
                early = held if name in session.behind else early
            else:
                wanted[held] = stretch
        return wanted, early

    def _missed(self, session: Session, held: HeldLog) -> Stretch | None:
        """What to send next. None when the session is live now, or has left, or is ahead of the log as known here."""
        name, seq = held.key.name, held.followed.seq
        sent = session.behind[name]
        span = None if held.key.reader is not None else session.readable.last(name)
        until = None if span is None else span.until
        if until is not None and sent >= until:
            self._held.release(session, name, asyncio.get_running_loop().time())
        elif sent == seq and (span is None or seq >= span.after):
            held.show(session, until)
            session.caught_up(name)
        elif sent < seq:
            return Stretch(sent, seq if until is None else min(seq, until))
        return None

    async def _send(self, session: Session, wanted: Mapping[HeldLog, Stretch]) -> None:
        epochs = {held: held.followed.epoch for held in wanted}
        found = {held: held.remembered(stretch) for held, stretch in wanted.items()}
        unknown = {held.key: wanted[held] for held, entries in found.items() if entries is None}
        read = await self._passages.read(unknown) if unknown else {}
        entries = {held.key.name: read.get(held.key, []) if known is None else known for held, known in found.items()}
        many = session.dialect.batches and sum(map(len, entries.values())) > _MANY
        unread = await self._count(session) if many else 0
        if session.is_over():
            return
        still = {h: s for h, s in wanted.items() if h.key.name in session.behind and h.followed.epoch == epochs[h]}
        whole = {h.key.name: e for h, s in still.items() if (e := entries[h.key.name]) and e[0].seq == s.after + 1}
        ordered = portions.fitting(
            list(_in_order(whole)), self._limits.portion
        )  # what is left is due in the next round
        if many:
            self._emitter.several(session, [(name, e) for name, e in ordered if _exists(session, name, e)], unread)
        for name, entry in ordered:
            if not (many and isinstance(entry.record, Notification)):
                self._emitter.to(session, name, entry)
            session.behind[name] = entry.seq
        self._skip(session, {h.key.name: s for h, s in still.items() if h.key.name not in whole})
        await asyncio.sleep(0)

    def _skip(self, session: Session, gone: Mapping[str, Stretch]) -> None:
        """Retention took these stretches."""
        session.behind |= {name: stretch.until for name, stretch in gone.items()}
        if gone:
            self.resync(session, resume.TOO_OLD, gone)


def _readable_so_far(session: Session) -> dict[str, Stretch]:
    """What there is in its rooms for a session; who has just come into a room may read nothing of it yet."""
    rooms = ((name, session.readable.first(name), seq) for name, seq in session.behind.items())
    return {name: Stretch(after, seq) for name, after, seq in rooms if after is not None and after < seq}


def _exists(session: Session, name: str, entry: Entry) -> bool:
    record = entry.record
    return isinstance(record, Notification) and session.readable.home(record.rooms) == name


def _in_order(found: Mapping[str, list[Entry]]) -> Iterator[tuple[str, Entry]]:
    """All entries by time, and those of one log always by seq."""
    timed = [_timed(name, entries) for name, entries in found.items()]
    for _, name, entry in heapq.merge(*timed, key=lambda item: item[:2]):
        yield name, entry


def _timed(name: str, entries: list[Entry]) -> Iterator[tuple[float, str, Entry]]:
    latest = 0.0
    for entry in entries:
        latest = max(latest, _at(entry))
        yield latest, name, entry


def _at(entry: Entry) -> float:
    record = entry.record
    if record is None:
        return 0.0
    return (record.created_at if isinstance(record, Notification) else record.at).timestamp()
