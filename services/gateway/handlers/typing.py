"""Typing (F3-2): told to the others in a resource, on every gateway, and taken back when nothing is heard any more."""

from __future__ import annotations

import asyncio

from libs.runtime.logging import get_logger
from libs.schemas.ephemerals import TYPING_STARTED, TYPING_STOPPED
from libs.schemas.records import Ephemeral
from services.gateway.domain import joining
from services.gateway.domain.commands import Fault, Typing
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.joining import Denied, Resource
from services.gateway.domain.live_rooms import LiveRooms
from services.gateway.domain.pace import Pace
from services.gateway.domain.session import Session
from services.gateway.domain.typing import Drafts, Typists, started, stopped
from services.gateway.errors import Retryable
from services.gateway.handlers.authority import Authority
from services.gateway.handlers.ephemerals import TOO_FAST, Ephemerals, Publishing

log = get_logger(__name__)

_RESOURCE = "resourceType"


class TypingDesk:
    """Hears of typing from our sockets and from other gateways."""

    def __init__(
        self,
        live: LiveRooms,
        authority: Authority,
        publishing: Publishing,
        ephemerals: Ephemerals,
        drafts: Drafts,
        typists: Typists,
        pace: Pace,
    ) -> None:
        self._live, self._authority, self._publishing, self._ephemerals = live, authority, publishing, ephemerals
        self._drafts, self._typists, self._pace = drafts, typists, pace
        self._farewells: set[asyncio.Task[None]] = set()

    async def hear(self, session: Session, command: Typing) -> Emission | Fault | None:
        """`typing:start` and `typing:stop`; a join is not needed. Raises Retryable."""
        wanted = joining.resource(command.resource_type, command.resource_id)
        verdict = wanted if isinstance(wanted, Denied) else await self._may(session, wanted)
        if isinstance(verdict, Denied):
            return Fault(verdict.code, verdict.message, _RESOURCE)
        if not self._pace.take(session.sid, self._now()):
            return TOO_FAST
        if session.is_over():
            return None
        await (self._start(session, verdict) if command.started else self._stop(session, verdict.room))
        return None

    def show(self, record: Ephemeral) -> None:
        """Somebody started or stopped typing, here or elsewhere."""
        if record.event in (TYPING_STARTED, TYPING_STOPPED):
            self._typists.heard(record, self._now())

    async def expire(self) -> None:
        """Takes back what nobody has taken back."""
        for record in self._typists.over(self._now()):
            self._ephemerals.show(record)

    def close(self, session: Session) -> None:
        """The session is over: it has stopped typing everywhere."""
        self._pace.leave(session.sid)
        left = self._drafts.leave(session.sid)
        if left:
            task = asyncio.create_task(self._say_farewell(session, left))
            self._farewells.add(task)
            task.add_done_callback(self._farewells.discard)

    async def _may(self, session: Session, wanted: Resource) -> Resource | Denied:
        if wanted.room in self._live.seats(session):
            return wanted
        verdict = await self._authority.judge(session, wanted)
        return verdict if isinstance(verdict, Denied) else wanted

    async def _start(self, session: Session, wanted: Resource) -> None:
        is_news, given_up = self._drafts.start(session.sid, wanted.room, self._now())
        if given_up is not None:
            await self._publishing.publish(stopped(session.tenant, given_up, session.reader, session.sid))
        if is_news:
            place = (wanted.type, wanted.id)
            await self._publishing.publish(started(session.tenant, wanted.room, session.reader, place, session.sid))

    async def _stop(self, session: Session, room: str) -> None:
        if self._drafts.stop(session.sid, room):
            await self._publishing.publish(stopped(session.tenant, room, session.reader, session.sid))

    async def _say_farewell(self, session: Session, left: list[str]) -> None:
        try:
            for room in left:
                await self._publishing.publish(stopped(session.tenant, room, session.reader, session.sid))
        except Retryable as error:  # the others find out by themselves when they hear nothing more
            log.warning("typing_untold", tenant_id=session.tenant, errors=[str(error)])

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
