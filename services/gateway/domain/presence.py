"""Who is here by the sockets of this gateway, and what of everybody's coming and going is told (F3-1, S19)."""

from __future__ import annotations

import itertools
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from libs.schemas.records import PresenceChange, PresenceStatus
from services.gateway.domain.session import Session

Person = tuple[str, str]  # (tenant, user id)

_WINDOW = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Present:
    """How many sockets of a person this gateway has; with none of them, the person has left it."""

    tenant: str
    user_id: str
    sockets: int
    roles: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()


class Roster:
    """The people of this gateway. One whose last socket left has gone only `grace` seconds later.

    Agents are not people: their sockets count for nobody, also where they act for somebody.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._here: dict[Person, tuple[Session, ...]] = {}
        self._leaving: dict[Person, float] = {}  # when they will have gone, the first first
        self._changed: dict[Person, None] = {}

    def __len__(self) -> int:
        return len(self._here)

    def arrive(self, session: Session) -> None:
        """A socket of the person is here."""
        if (person := _person(session)) is not None:
            self._here[person] = (*_others(self._here.get(person, ()), session), session)
            self._leaving.pop(person, None)
            self._changed[person] = None

    def depart(self, session: Session, now: float) -> None:
        """It is gone."""
        person = _person(session)
        sessions = () if person is None else self._here.get(person, ())
        others = _others(sessions, session)
        if person is None or len(others) == len(sessions):
            return
        self._here[person] = others
        if others:
            self._changed[person] = None
        else:
            self._leaving[person] = now + self._grace

    def due(self, now: float, limit: int) -> list[Present]:
        """What is to be reported by now, at most `limit` people; it counts as reported."""
        for person in list(itertools.takewhile(lambda p: now >= self._leaving[p], self._leaving)):
            del self._leaving[person], self._here[person]
            self._changed[person] = None
        due = list(itertools.islice(self._changed, limit))
        for person in due:
            del self._changed[person]
        return [self._report(person) for person in due]

    def again(self, reports: Iterable[Present]) -> None:
        """These could not be reported."""
        self._changed |= {(report.tenant, report.user_id): None for report in reports}

    def anew(self) -> None:
        """Nobody knows of our people any more: all are reported again."""
        self._changed |= dict.fromkeys(self._here)

    def _report(self, person: Person) -> Present:
        if person not in self._here:
            return Present(*person, 0)
        sessions = self._here[person]
        roles = sorted({role for session in sessions for role in session.identity.roles})
        named = sorted({s.identity.session_id for s in sessions if s.identity.session_id is not None})
        # In the time of grace the person is here still, by the socket that may come back.
        return Present(*person, max(1, len(sessions)), tuple(roles), tuple(named))


def _others(sessions: tuple[Session, ...], session: Session) -> tuple[Session, ...]:
    return tuple(other for other in sessions if other.sid != session.sid)


def _person(session: Session) -> Person | None:
    identity = session.identity
    return None if identity.user_id is None or identity.agent_id is not None else identity.person


class News(Enum):
    """What a client is told of a person, one frame each."""

    CAME = auto()
    WENT = auto()
    CHANGED = auto()


def news(change: PresenceChange) -> tuple[News, ...]:
    """The frames of a change: came or went where it crosses OFFLINE; changed where it does not, or was chosen."""
    crossed = (change.status == "OFFLINE") != (change.previous == "OFFLINE")
    told = ((News.WENT if change.status == "OFFLINE" else News.CAME),) if crossed else ()
    changed = change.chosen or (not crossed and change.status != change.previous)
    return (*told, News.CHANGED) if changed else told


class Frames:
    """At most `rate` frames in any second for each tenant; the newest word about a person replaces what waits.

    `memory` is how many people's last word is remembered, so that what comes late or twice is dropped.
    """

    def __init__(self, rate: int, memory: int) -> None:
        self._rate, self._memory = rate, memory
        self._told: OrderedDict[Person, tuple[int, PresenceStatus]] = OrderedDict()
        self._waiting: defaultdict[str, dict[str, PresenceChange]] = defaultdict(dict)
        self._sent: dict[str, deque[float]] = {}

    def offer(self, change: PresenceChange) -> bool:
        """Takes note of a change; False when it is not newer than what is known."""
        person = (change.tenant, change.user_id)
        waiting = self._waiting[change.tenant].get(change.user_id)
        version, status = self._told.get(person, (0, change.previous))
        if change.version <= max(version, waiting.version if waiting is not None else 0):
            return False
        chosen = change.chosen or (waiting is not None and waiting.chosen)
        merged = change.model_copy(
            update={"previous": status if waiting is None else waiting.previous, "chosen": chosen}
        )
        self._waiting[change.tenant][change.user_id] = merged
        return True

    def due(self, now: float) -> Iterator[tuple[PresenceChange, tuple[News, ...]]]:
        """What may be told now, of each tenant who has waited longest first."""
        for tenant in list(self._waiting):
            yield from self._due(tenant, now)

    def forget(self, tenant: str) -> None:
        """What waits for a tenant is not to be told."""
        self._waiting.pop(tenant, None)

    def _due(self, tenant: str, now: float) -> Iterator[tuple[PresenceChange, tuple[News, ...]]]:
        waiting, sent = self._waiting[tenant], self._sent.setdefault(tenant, deque())
        while sent and now - sent[0] >= _WINDOW:
            sent.popleft()
        while waiting:
            change = next(iter(waiting.values()))
            frames = news(change)
            if len(sent) + len(frames) > self._rate:
                return
            del waiting[change.user_id]
            self._remember(change)
            sent.extend([now] * len(frames))
            if frames:
                yield change, frames
        del self._waiting[tenant]
        if not sent:
            del self._sent[tenant]

    def _remember(self, change: PresenceChange) -> None:
        person = (change.tenant, change.user_id)
        self._told.pop(person, None)
        self._told[person] = (change.version, change.status)
        if len(self._told) > self._memory:
            self._told.popitem(last=False)
