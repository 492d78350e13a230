"""Acknowledgements: clients say what has arrived, and are sent again what has not (F1-4, S8).

Nothing is kept per person but by the sockets that acknowledge, in this process; what other sockets and other gateways
know of is asked from the database before anything is repeated.
"""

from __future__ import annotations

from libs.runtime.clock import Clock
from services.gateway import metrics
from services.gateway.domain.acknowledging import Patience
from services.gateway.domain.commands import Acknowledge, Fault
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.logs import Entry, LogKey, Stretch
from services.gateway.domain.session import Session
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.sessions import Sessions
from services.gateway.ports import Logs, Person, Place

_PAGE = 200  # entries of a log that are looked through for those to be repeated


class Acknowledgements:
    """`flush` and `repeat` go round."""

    def __init__(self, sessions: Sessions, logs: Logs, emitter: Emitter, clock: Clock, patience: Patience) -> None:
        self._sessions, self._logs, self._emitter = sessions, logs, emitter
        self._clock, self._patience = clock, patience
        self._single: set[Place] = set()

    async def acknowledge(self, session: Session, command: Acknowledge) -> Emission | Fault:
        """One has arrived. The first acknowledgement of a socket makes it one that is waited for."""
        if command.place is not None and not session.readable.may_read(*command.place):
            return Fault("INVALID_ARGUMENT", "this was not sent to you", "recipient_id")
        self._emitter.wait_for(session)
        place = command.place
        for other in self._sessions.of(session.person):
            sent = other.unacknowledged.acknowledge(command.notification) if other.unacknowledged else None
            place = place if sent is None else (sent.room, sent.seq)
        if place is not None:
            self._single.add((session.person, *place))
        return session.dialect.acknowledged(str(command.notification))

    async def flush(self) -> None:
        """Moves watermarks, and writes down what stands above one. Raises Retryable, and keeps what was to be done."""
        single, self._single = self._single, set()
        if not single:
            return
        try:
            risen = self._risen({(person, room) for person, room, _ in single})
            above = [place for place in single if place[2] > risen.get(place[:2], 0)]
            if above:
                await self._logs.acknowledged(above)
            if risen:
                await self._logs.delivered(risen)
        except BaseException:
            self._single |= single
            raise

    async def repeat(self) -> None:
        """One round: what was waited for long enough is sent again, unless it arrived elsewhere. Raises Retryable."""
        now = self._clock()
        due = [
            (session, waits, notification, sent)
            for session in self._emitter.waited()
            if (waits := session.unacknowledged)
            for notification, sent in waits.due(now, self._patience)
        ]
        if not due:
            return
        await self.flush()
        places = {(session.person, sent.room, sent.seq) for session, _, _, sent in due}
        left = await self._logs.unacknowledged(sorted(places))
        entries = await self._entries(left)
        for session, waits, notification, sent in due:
            if (session.person, sent.room, sent.seq) not in left:
                waits.settle(notification)
            elif not session.is_over() and (entry := entries.get((session.key(sent.room), sent.seq))) is not None:
                metrics.REPEATED.inc(self._emitter.again(session, sent.room, entry))

    async def _entries(self, places: set[Place]) -> dict[tuple[LogKey, int], Entry]:
        """By log and seq. Of a log whose places lie far apart the rest comes with another round."""
        wanted: dict[LogKey, list[int]] = {}
        for (tenant, _), room, seq in places:
            wanted.setdefault(LogKey(tenant, room), []).append(seq)
        stretches = {key: Stretch(min(seqs) - 1, max(seqs)) for key, seqs in wanted.items()}
        found = await self._logs.entries(stretches, _PAGE) if stretches else {}
        return {(key, entry.seq): entry for key, entries in found.items() for entry in entries}

    def _risen(self, rooms: set[tuple[Person, str]]) -> dict[tuple[Person, str], int]:
        """Up to where everything arrived, by what all sockets of a person here wait for."""
        risen: dict[tuple[Person, str], int] = {}
        for person, room in rooms:
            ends = [end for session in self._sessions.of(person) if (end := self._confirmed(session, room)) is not None]
            if ends and min(ends) > 0:
                risen[person, room] = min(ends)
        return risen

    def _confirmed(self, session: Session, room: str) -> int | None:
        if session.unacknowledged is None or session.newest:
            return None
        head = self._sessions.sent(session).get(room)
        return None if head is None else session.unacknowledged.confirmed(room, head.seq)
