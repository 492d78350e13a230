"""The index of who listens: for every (tenant, log) the sessions that hold it and those that are shown it live."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from services.gateway.domain.follow import Follower
from services.gateway.domain.listeners import Listeners
from services.gateway.domain.logs import Entry, LogKey, Stretch
from services.gateway.domain.notification import Notification
from services.gateway.domain.session import Session


@dataclass(slots=True, eq=False)
class HeldLog:
    """A log that somebody here holds. `follower` is None until its interest is registered and its head is known.

    `early` came before the head was known. `ends` says, for live sessions that were removed from the room, the last
    seq that they may still be shown. `shown` is how many entries were shown live in a window of time (S10).
    """

    key: LogKey
    memory: int
    _recent: deque[Entry] | None = None
    follower: Follower | None = None
    early: list[Entry] | None = None
    holders: Listeners = field(default_factory=Listeners)
    live: Listeners = field(default_factory=Listeners)
    ends: dict[Session, int] | None = None
    window: int = 0
    shown: int = 0

    @property
    def followed(self) -> Follower:
        """The follower of a log that has been begun."""
        assert self.follower is not None
        return self.follower

    def show(self, session: Session, until: int | None = None) -> None:
        """The session is shown what comes from now on; with `until` up to that seq."""
        self.live.add(session)
        if until is not None:
            self.ends = {**(self.ends or {}), session: until}

    def hide(self, session: Session) -> bool:
        """The session is shown nothing more for now; whether it was."""
        if self.ends is not None:
            self.ends.pop(session, None)
            self.ends = self.ends or None
        return self.live.remove(session)

    def is_for_all(self, entry: Entry) -> bool:
        """Whether the entry exists here for all live sessions, unless its type is kept from them."""
        if self.ends is not None:
            return False
        record = entry.record
        return not isinstance(record, Notification) or (record.rooms[0].room == self.key.name and not record.excluded)

    def audience(self, entry: Entry) -> Iterable[Session]:
        """The live sessions for whom the entry exists here and not in an earlier room."""
        sessions: Iterable[Session] = self.live
        if self.ends is not None:
            ends = self.ends
            sessions = [s for s in sessions if entry.seq <= ends.get(s, entry.seq)]
        record = entry.record
        if isinstance(record, Notification) and record.rooms[0].room != self.key.name:
            return [s for s in sessions if s.readable.home(record.rooms) == self.key.name]
        return sessions

    def remember(self, entry: Entry) -> None:
        """Keeps the last entries that were shown, `memory` of them. Most logs are one person's and have none."""
        if self._recent is None:
            self._recent = deque(maxlen=self.memory)
        self._recent.append(entry)

    def forget(self) -> None:
        """What was shown does not lead to where the log stands now."""
        self._recent = None

    def remembered(self, stretch: Stretch) -> list[Entry] | None:
        """The entries of a stretch that ends at the last one shown, or None when memory does not reach back."""
        if not self._recent or self._recent[0].seq > stretch.after + 1:
            return None
        return [entry for entry in self._recent if stretch.after < entry.seq <= stretch.until]


class HeldLogs:
    """All logs that are held, and the sessions by person. `memory` is how many entries of each are kept."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._logs: dict[tuple[str, str], HeldLog] = {}  # by LogKey
        self._idle: dict[LogKey, float] = {}  # those that nobody holds, and since when: the oldest first
        self._of_session: dict[str, dict[str, HeldLog]] = {}
        self._people: dict[tuple[str, str], tuple[Session, ...]] = {}  # mostly one, for which a dict would be large

    def __len__(self) -> int:
        return len(self._logs)

    def __iter__(self) -> Iterator[HeldLog]:
        return iter(list(self._logs.values()))

    def get(self, key: LogKey) -> HeldLog | None:
        """The log when somebody holds it."""
        return self._logs.get(key)

    def find(self, tenant: str, name: str) -> HeldLog | None:
        """As `get`, for each record that comes: a plain tuple is a key as well, and made in a tenth of the time."""
        return self._logs.get((tenant, name))

    def hold(self, session: Session, name: str) -> HeldLog:
        """Makes the session a holder of the log, which may have to be begun."""
        key = session.key(name)
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = HeldLog(key, self._memory)
        log.holders.add(session)
        self._idle.pop(key, None)
        logs = self._of_session.get(session.sid)
        if logs is None:
            logs = self._of_session[session.sid] = {}
            self._people[session.person] = (*self._people.get(session.person, ()), session)
        logs[name] = log
        return log

    def release(self, session: Session, name: str, now: float) -> None:
        """The session holds the log no longer; what nobody holds is idle from now on."""
        log = self._of_session.get(session.sid, {}).pop(name, None)
        if log is not None:
            self._let_go(session, log, now)

    def _let_go(self, session: Session, log: HeldLog, now: float) -> None:
        log.holders.remove(session)
        log.hide(session)
        session.behind.pop(log.key.name, None)
        if not log.holders:
            self._idle[log.key] = now

    def leave(self, session: Session, now: float) -> None:
        """The session is over."""
        logs = self._of_session.pop(session.sid, None)
        if logs is None:
            return
        for log in logs.values():
            self._let_go(session, log, now)
        others = tuple(other for other in self._people.pop(session.person) if other is not session)
        if others:
            self._people[session.person] = others

    def of(self, session: Session) -> dict[str, HeldLog]:
        """The logs that a session holds, by name."""
        return self._of_session.get(session.sid, {})

    def changed(self, session: Session) -> None:
        """What is kept from the session is another thing from now on."""
        for log in self.of(session).values():
            log.live.changed()

    def people(self) -> list[tuple[str, str]]:
        """Every (tenant, reader) with a session."""
        return list(self._people)

    def sessions_of(self, person: tuple[str, str]) -> Sequence[Session]:
        """The sessions of one (tenant, reader)."""
        return self._people.get(person, ())

    def idle(self, before: float) -> list[LogKey]:
        """The logs that nobody has held since before that time."""
        return [key for key, _ in itertools.takewhile(lambda item: item[1] <= before, self._idle.items())]

    def drop(self, key: LogKey) -> None:
        """Forgets a log, unless somebody holds it again."""
        log = self._logs.get(key)
        if log is not None and not log.holders:
            del self._logs[key]
            self._idle.pop(key, None)
