"""Follows every held log: shows what comes, fetches what did not come, compares heads so that nothing stays hidden."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping

from libs.runtime.clock import Clock
from services.gateway import metrics
from services.gateway.domain import resume
from services.gateway.domain.follow import Follower, Judgement
from services.gateway.domain.logs import Entry, Head, LogKey, LogRecord, Stretch, places, wire_name
from services.gateway.domain.rooms import HeldLog, HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.interest import Interest
from services.gateway.ports import Logs

_FETCH_LIMIT = 500  # entries of one log in one query
_AT_ONCE = 1_000  # logs compared with their heads before others get a turn
_ON_ITS_WAY = 0.5  # seconds for the record of what a look at all heads finds: mostly it comes a moment later


class Following:
    """`patience` is how long, in seconds, a missing entry is waited for before it is fetched."""

    def __init__(
        self, held: HeldLogs, logs: Logs, interest: Interest, emitter: Emitter, clock: Clock, patience: float
    ) -> None:
        self._held, self._logs, self._interest, self._emitter = held, logs, interest, emitter
        self._clock, self._patience = clock, patience
        self._gaps: set[LogKey] = set()
        self._doubted: set[LogKey] = set()
        self._attention = asyncio.Event()
        self._waiting: defaultdict[LogKey, list[asyncio.Future[None]]] = defaultdict(list)

    async def begin(self, logs: Iterable[HeldLog]) -> Mapping[LogKey, Head]:
        """The true heads of logs that are held, all of them followed now: nothing after these heads is missed.

        Another gateway may have been quicker with a log that is followed already: what its head shows to be missing
        here is fetched from now on.
        """
        wanted = {log.key: log for log in logs}
        await self._interest.begin([key for key, log in wanted.items() if log.follower is None])
        marks = {key: log.followed.known for key, log in wanted.items() if log.follower is not None}
        heads = await self._logs.begin(wanted) if wanted else {}
        for key, head in heads.items():
            if key in marks:
                self._learn(wanted[key], head, marks[key], self._now())
            else:
                self._begin(wanted[key], head)
        return heads

    def _begin(self, log: HeldLog, head: Head) -> None:
        if log.follower is None:
            log.follower = Follower(head.epoch, head.seq, self._patience)
            early, log.early = log.early, None
            for entry in early or ():
                self._offer(log, entry)

    def accept(self, record: LogRecord) -> None:
        """Shows a record in the logs where it is next, and keeps or drops it in the others."""
        for place in places(record):
            log = self._held.find(record.tenant, place.room)
            if log is not None:
                self._offer(log, Entry(place.epoch, place.seq, record))

    def _offer(self, log: HeldLog, entry: Entry) -> None:
        if log.follower is None:
            log.early = [*(log.early or ()), entry]
            return
        shown = log.follower.offer(entry, self._now())
        if shown is None:
            self.doubt(log.key)
        else:
            self._show(log, shown)

    def _show(self, log: HeldLog, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._emitter.live(log, entry)
        if log.ends is not None:
            self._let_go(log, log.ends)
        if log.followed.waits:
            self._gaps.add(log.key)
            self._attention.set()
        if self._waiting:
            self._wake(log.key)

    def _wake(self, key: LogKey) -> None:
        for future in self._waiting.pop(key, ()):
            if not future.done():
                future.set_result(None)

    def _let_go(self, log: HeldLog, ends: Mapping[Session, int]) -> None:
        """Of the sessions that were removed from the room: all that they may read has been shown."""
        seq = log.followed.seq
        for session in [session for session, end in ends.items() if end <= seq]:
            self._held.release(session, log.key.name, self._now())

    def doubt(self, key: LogKey) -> None:
        """Something does not fit what is known of this log: its head is looked at."""
        self._doubted.add(key)
        self._attention.set()

    async def advanced(self, log: HeldLog) -> None:
        """Returns when the log has gone on; its head is looked at, in case nothing comes by itself."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[log.key].append(future)
        self.doubt(log.key)
        await future

    async def attend(self) -> None:
        """One round: waits until something is missing or doubted, gives it time to come, fetches it."""
        await self._attention.wait()
        await asyncio.sleep(self._patience)
        doubted = set(self._doubted)
        await self._compare([log for key in doubted if (log := self._held.get(key)) is not None], 0.0)
        for key in doubted:
            self._wake(key)
        self._doubted -= doubted
        await self._mend()
        if not self._gaps and not self._doubted:
            self._attention.clear()

    async def compare(self) -> None:
        """Compares the heads of everything that is held with what was shown."""
        logs = list(self._held)
        for at in range(0, len(logs), _AT_ONCE):
            await self._compare(logs[at : at + _AT_ONCE], _ON_ITS_WAY)

    async def _compare(self, logs: Iterable[HeldLog], grace: float) -> None:
        followers = ((log.key, log.follower) for log in logs)
        marks = {key: Head(follower.epoch, follower.known) for key, follower in followers if follower is not None}
        for key, head in (await self._logs.moved(marks) if marks else {}).items():
            log = self._held.get(key)
            if log is not None and log.follower is not None:
                self._learn(log, head, marks[key].seq, self._now() + grace)

    def _learn(self, log: HeldLog, head: Head, mark: int, now: float) -> None:
        if log.followed.learn(head, mark, now) is Judgement.ANEW:
            log.followed.restart(head)
            log.forget()
            self._resync(log, resume.EPOCH)
        self._show(log, ())

    async def _mend(self) -> None:
        now = self._now()
        held = {key: log for key in self._gaps if (log := self._held.get(key)) is not None}
        due = {key: stretch for key, log in held.items() if (stretch := log.followed.missing(now)) is not None}
        if due:
            found = await self._logs.entries(due, _FETCH_LIMIT)
            await self._fill({held[key]: (stretch, found.get(key, [])) for key, stretch in due.items()})
        self._gaps = {key for key in self._gaps if (log := self._held.get(key)) is not None and log.followed.waits}

    async def _fill(self, found: Mapping[HeldLog, tuple[Stretch, list[Entry]]]) -> None:
        for log, (stretch, entries) in found.items():
            metrics.GAPS_FETCHED.inc(len(entries))
            if entries and entries[0].seq > stretch.after + 1:
                self._lost(log, entries[0].seq)
            self._show(log, log.followed.fill(entries, self._now()))
        empty = {log.key: stretch for log, (stretch, entries) in found.items() if not entries}
        if empty:
            await self._missed(empty)

    async def _missed(self, empty: Mapping[LogKey, Stretch]) -> None:
        """Nothing is left of these stretches: either retention took them, or the log ends before them."""
        marks = {key: log.followed.known for key in empty if (log := self._held.get(key)) is not None}
        for key, head in (await self._logs.heads(marks)).items():
            log = self._held.get(key)
            if log is None:
                continue
            if head.epoch == log.followed.epoch and head.seq >= empty[key].until:
                self._lost(log, empty[key].until + 1)
            else:
                self._learn(log, head, marks[key], self._now())

    def _lost(self, log: HeldLog, begins: int) -> None:
        log.forget()
        self._show(log, log.followed.skip(begins, self._now()))
        self._resync(log, resume.TOO_OLD)

    def _resync(self, log: HeldLog, reason: str) -> None:
        head = Head(log.followed.epoch, log.followed.seq)
        for session in log.holders:
            if log.key.name in session.behind:
                session.behind[log.key.name] = head.seq
        if log.holders:
            position, now = {wire_name(log.key.name): head}, self._clock()
            self._emitter.tell(log.holders, lambda dialect: dialect.resync(reason, position, now))
            metrics.RESYNCS.labels(reason).inc(len(log.holders))

    def _now(self) -> float:
        return time.monotonic()  # finding the running loop costs a system call
