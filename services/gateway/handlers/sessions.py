"""Sessions: a socket with a token is put into its rooms, told where it stands, and taken out again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from libs.auth.tokens import Identity
from libs.runtime.clock import Clock
from services.gateway import metrics
from services.gateway.domain import resume
from services.gateway.domain.access import Memberships, readable
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.logs import Head, wire_name
from services.gateway.domain.rooms import HeldLog, HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.batching import Batcher
from services.gateway.handlers.catch_up import CatchUp
from services.gateway.handlers.company import Company
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.following import Following
from services.gateway.handlers.memberships import Access, MembershipWatch


@dataclass(slots=True, eq=False)
class _Beginning:
    session: Session
    position: resume.Position | None


class Sessions:
    """All sessions of this process, by socket id. Those who come within the same moment begin together."""

    def __init__(
        self,
        access: Access,
        watch: MembershipWatch,
        held: HeldLogs,
        following: Following,
        catch_up: CatchUp,
        company: Company,
        emitter: Emitter,
        clock: Clock,
    ) -> None:
        self._access, self._watch, self._held, self._following = access, watch, held, following
        self._catch_up, self._company, self._emitter, self._clock = catch_up, company, emitter, clock
        self._sessions: dict[str, Session] = {}
        metrics.CONNECTIONS.set_function(self.__len__)
        self._beginnings: Batcher[_Beginning, dict[str, list[str]]] = Batcher(self._begin, access.batch)

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def get(self, sid: str) -> Session | None:
        """The session of a socket, or None when its token was not accepted."""
        return self._sessions.get(sid)

    def of(self, person: tuple[str, str]) -> Sequence[Session]:
        """The sessions of one (tenant, reader)."""
        return self._held.sessions_of(person)

    async def open(self, session: Session, position: resume.Position | None) -> Mapping[str, Sequence[str]]:
        """Opens a session that nothing is told yet; the logs, by reason, to be fetched anew. Raises Retryable."""
        sid = session.sid
        self._sessions[sid] = session
        beginning = _Beginning(session, position)
        try:
            return (await self._beginnings.get([beginning]))[beginning]
        except BaseException:
            self.close(sid)
            raise

    def greet(self, session: Session, refetch: Mapping[str, Sequence[str]]) -> None:
        """Tells the client that its session stands; what it missed follows."""
        if session.is_over():
            return
        self._emitter.greet(session, self._connected(session))
        for reason, logs in refetch.items():
            self._catch_up.resync(session, reason, logs)
        self._catch_up.start(session)

    async def _begin(self, beginnings: Sequence[_Beginning]) -> dict[_Beginning, dict[str, list[str]]]:
        """All who connect within the same moment: each question is asked once, whatever their number."""
        memberships = await self._access.of(beginning.session.identity for beginning in beginnings)
        held = [log for one in beginnings for log in self._hold(one, memberships[one.session.person])]
        heads = await self._following.begin(held)
        await self._company.welcome([beginning.session for beginning in beginnings])
        return {
            one: {} if one.session.is_over() else self._catch_up.plan(one.session, one.position, heads)
            for one in beginnings
        }

    def _hold(self, beginning: _Beginning, memberships: Memberships) -> list[HeldLog]:
        session = beginning.session
        if session.is_over():
            return []
        session.memberships, session.readable = memberships, readable(session.identity, memberships)
        names = (*resume.rooms_to_follow(session.readable, beginning.position), session.state_log)
        return [self._held.hold(session, name) for name in names]

    async def refresh(self, session: Session, identity: Identity) -> None:
        """The session goes on with another token of the same person (S22)."""
        session.identity, session.warned = identity, False
        await self._watch.apply([session])
        if not session.is_over():
            self._emitter.say(session, self._connected(session))

    def close(self, sid: str) -> None:
        """The socket is gone."""
        session = self._sessions.pop(sid, None)
        if session is not None:
            session.end()
            self._emitter.forget(session)
            self._company.part(session)
            self._catch_up.cancel(session)
            self._held.leave(session, asyncio.get_running_loop().time())

    def sent(self, session: Session) -> dict[str, Head]:
        """Where the client stands in each of its logs, by log name."""
        return {
            name: Head(log.follower.epoch, session.behind.get(name, log.follower.seq))
            for name, log in self._held.of(session).items()
            if log.follower is not None
        }

    def _connected(self, session: Session) -> Emission:
        position = {wire_name(name): head for name, head in self.sent(session).items()}
        rooms = session.readable.open_rooms()
        return session.dialect.connected(session.identity, rooms, position, self._clock())
