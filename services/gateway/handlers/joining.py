"""Rooms that clients join and leave: asked for, looked at again, and ended when the right to be there ends (S15)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from libs.schemas import rooms
from services.gateway import metrics
from services.gateway.domain import joining
from services.gateway.domain.commands import Fault, JoinRoom, LeaveRoom
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.joining import Allowed, Denied, Group, Resource
from services.gateway.domain.live_rooms import Seat
from services.gateway.domain.session import Session
from services.gateway.errors import Retryable
from services.gateway.handlers.authority import SILENT, Authority
from services.gateway.handlers.ground import Ground

log = get_logger(__name__)

_RECHECKS = 64  # rights that are looked at again at once
_ROOM = "room"


class Joining:
    """`most` rooms may a socket join. While the application is silent, a right that is over holds `grace` seconds."""

    def __init__(self, ground: Ground, authority: Authority, clock: Clock, *, most: int, grace: float) -> None:
        self._held, self._live, self._interest = ground.held, ground.live, ground.interest
        self._catch_up, self._emitter = ground.catch_up, ground.emitter
        self._authority, self._clock = authority, clock
        self._most, self._grace = most, grace

    async def join(self, session: Session, command: JoinRoom) -> Emission | Fault | None:
        """`joinRoom`. Raises Retryable."""
        refused = await self._join(session, joining.named(command.room, session.tenant), command.grant)
        if refused is None:
            return session.dialect.joined(command.room)
        self._note(session, refused)
        return Fault(refused.code, refused.message, _ROOM)

    async def leave(self, session: Session, command: LeaveRoom) -> Emission | Fault | None:
        """`leaveRoom`: a resource is left; a room of the platform's own is not shown until it is joined again."""
        refused = self._leave(session, joining.named(command.room, session.tenant))
        if refused is None:
            return session.dialect.left(command.room)
        return Fault(refused.code, refused.message, _ROOM)

    async def sit_down(self, sessions: Iterable[Session]) -> None:
        """Sessions that begin are in the rooms of the sessions that their tokens name. Raises Retryable."""
        named = [(session, session.identity.session_id) for session in sessions if not session.is_over()]
        seats = [Seat(s, rooms.session(name)) for s, name in named if name is not None and rooms.is_session(name)]
        if seats:
            await self._sit(seats)

    def close(self, session: Session) -> None:
        """The session is over."""
        self._live.close(session, self._now())

    def reconsider(self, session: Session) -> None:
        """The session's memberships have changed: its right to be where it is is looked at again at once."""
        for seat in self._live.seats(session).values():
            if seat.resource is not None:
                seat.until = 0.0

    async def recheck(self) -> None:
        """One round: looks again at every right that is over."""
        due = self._live.due(self._clock().timestamp())
        for start in range(0, len(due), _RECHECKS):
            await asyncio.gather(*(self._recheck(seat) for seat in due[start : start + _RECHECKS]))

    async def _join(self, session: Session, wanted: Group | Resource | Denied, grant: str | None) -> Denied | None:
        match wanted:
            case Group():
                return self._come_back(session, wanted)
            case Resource():
                return await self._enter(session, wanted, grant)
            case Denied():
                return wanted

    def _leave(self, session: Session, wanted: Group | Resource | Denied) -> Denied | None:
        match wanted:
            case Group():
                return self._go_silent(session, wanted)
            case Resource():
                return None if self._live.leave(session, wanted.room, self._now()) else joining.NOT_JOINED
            case Denied():
                return wanted

    async def _recheck(self, seat: Seat) -> None:
        assert seat.resource is not None, "only a resource's seat ends"
        try:
            verdict = await self._authority.judge(seat.session, seat.resource, seat.grant)
        except Retryable as error:
            log.warning("recheck_held", tenant_id=seat.session.tenant, errors=[str(error)])
            verdict = SILENT
        if self._live.seats(seat.session).get(seat.room) is not seat:
            return
        if isinstance(verdict, Allowed):
            seat.until, seat.silent_since = verdict.until, None
        elif verdict is SILENT and not self._is_too_long(seat):
            return
        elif self._live.leave(seat.session, seat.room, self._now()):
            metrics.SEATS_ENDED.inc()
            gone = seat.session.dialect.left(seat.resource.name)
            self._emitter.say(seat.session, gone._replace(payload={**gone.payload, "reason": verdict.code}))

    def _is_too_long(self, seat: Seat) -> bool:
        now = self._now()
        seat.silent_since = now if seat.silent_since is None else seat.silent_since
        return now - seat.silent_since >= self._grace

    async def _enter(self, session: Session, wanted: Resource, grant: str | None) -> Denied | None:
        verdict = await self._authority.judge(session, wanted, grant)
        if isinstance(verdict, Denied):
            return verdict
        seats = self._live.seats(session)
        if len(seats) >= self._most and wanted.room not in seats:
            return joining.TOO_MANY_ROOMS
        if not session.is_over():
            await self._sit([Seat(session, wanted.room, wanted, grant, verdict.until)])
        return None

    async def _sit(self, seats: Sequence[Seat]) -> None:
        """What is sent after a client was told that it is in the room reaches this gateway: interest is committed."""
        for seat in seats:
            self._live.enter(seat)
        metrics.LIVE_ROOMS.set(len(self._live))
        try:
            await self._interest.listen([(seat.session.tenant, seat.room) for seat in seats])
        except BaseException:
            for seat in seats:
                self._live.leave(seat.session, seat.room, self._now())
            raise

    def _come_back(self, session: Session, group: Group) -> Denied | None:
        if not joining.belongs(group, session.identity, session.readable):
            return joining.NOT_ALLOWED
        found = self._held.of(session).get(group.room)
        if found is not None and session.sid not in found.live and group.room not in session.behind:
            session.behind[group.room] = found.followed.seq
            self._catch_up.start(session)
        return None

    def _go_silent(self, session: Session, group: Group) -> Denied | None:
        found = self._held.of(session).get(group.room)
        if found is None:
            return joining.NOT_JOINED
        if session.is_own(group.room):
            return joining.OWN_ROOM
        found.hide(session)
        session.behind.pop(group.room, None)
        return None

    def _note(self, session: Session, refused: Denied) -> None:
        if refused is joining.NOT_ALLOWED:
            metrics.UNAUTHORIZED.labels("room", "not-allowed").inc()
            log.warning(
                "unauthorized", door="room", reason="not-allowed", tenant_id=session.tenant, user_id=session.reader
            )

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
