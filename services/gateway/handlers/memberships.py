"""What readers may read, kept true for every session: when a record says so, and by comparing versions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from libs.auth.tokens import Identity
from libs.schemas.records import MembershipChange
from services.gateway.domain.access import Memberships, claims_to_open, readable
from services.gateway.domain.rooms import HeldLog, HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.batching import Batcher
from services.gateway.handlers.catch_up import CatchUp
from services.gateway.handlers.following import Following
from services.gateway.handlers.joining import Joining
from services.gateway.ports import Directory, Person

_AT_ONCE = 1_000  # people whose versions are compared before others get a turn


class Access:
    """Memberships of readers, with the claims of their tokens opened. Askers are collected for `batch` seconds."""

    def __init__(self, directory: Directory, batch: float) -> None:
        self._directory, self.batch = directory, batch
        self._single: Batcher[Identity, None] = Batcher(self._opened, batch)

    async def of(self, identities: Iterable[Identity]) -> Mapping[Person, Memberships]:
        """Of all of them at once. Raises Retryable when the database is away."""
        wanted = {identity: identity.person for identity in identities}
        found = await self._directory.memberships(dict.fromkeys(wanted.values()))
        claims = [
            (person, room) for identity, person in wanted.items() for room in claims_to_open(identity, found[person])
        ]
        if claims:
            await self._directory.open_claims(claims)
            found |= await self._directory.memberships(dict.fromkeys(person for person, _ in claims))
        return found

    async def open(self, identity: Identity) -> None:
        """Opens what one token claims, together with those of others who ask now. Raises Retryable."""
        await self._single.get([identity])

    async def versions(self, people: Sequence[Person]) -> Mapping[Person, int]:
        """The current version of everybody whose memberships ever changed."""
        return await self._directory.versions(people)

    async def said(self, tenants: Iterable[str]) -> Mapping[str, int]:
        """The versions of what these tenants say for their people."""
        return await self._directory.said(tenants)

    async def _opened(self, identities: Sequence[Identity]) -> Mapping[Identity, None]:
        await self.of(identities)
        return {}


class MembershipWatch:
    """Applies changes of memberships and tokens to sessions that are connected."""

    def __init__(
        self, access: Access, held: HeldLogs, following: Following, catch_up: CatchUp, joining: Joining
    ) -> None:
        self._access, self._held, self._following, self._catch_up = access, held, following, catch_up
        self._joining = joining
        self._changed: set[Person] = set()
        self._news = asyncio.Event()

    def accept(self, change: MembershipChange) -> None:
        """A record says that a person's memberships changed."""
        person = (change.tenant, change.user_id)
        outdated = [s for s in self._held.sessions_of(person) if s.memberships.version < change.version]
        for session in outdated:
            self._suspend(session)
        if outdated:
            self._changed.add(person)
            self._news.set()

    def _suspend(self, session: Session) -> None:
        """Nothing of a group is shown until it is known whether the person is still in it; then it is caught up on."""
        session.suspended = True
        for name, log in self._held.of(session).items():
            if not session.is_own(name) and log.hide(session):
                session.behind[name] = log.followed.seq

    async def compare(self) -> None:
        """Looks for people whose version, or whose tenant's, has risen without a record to say so."""
        people = self._held.people()
        said = await self._access.said({tenant for tenant, _ in people})
        for at in range(0, len(people), _AT_ONCE):
            page = people[at : at + _AT_ONCE]
            versions = await self._access.versions(page)
            for person in page:
                version, of_tenant = versions.get(person, 0), said.get(person[0], 0)
                sessions = self._held.sessions_of(person)
                if any(s.memberships.version < version or s.memberships.said < of_tenant for s in sessions):
                    self._changed.add(person)
                    self._news.set()

    async def attend(self) -> None:
        """One round: waits for changes and applies them."""
        await self._news.wait()
        self._news.clear()
        changed, self._changed = self._changed, set()
        sessions = [session for person in changed for session in self._held.sessions_of(person)]
        try:
            for at in range(0, len(sessions), _AT_ONCE):
                await self.apply(sessions[at : at + _AT_ONCE])
        except BaseException:
            self._changed |= changed
            self._news.set()
            raise

    async def apply(self, sessions: Sequence[Session]) -> None:
        """Puts sessions into the rooms that the directory and their tokens give them now, and out of all others."""
        found = await self._access.of(session.identity for session in sessions)
        new = {session: self._look(session, found[session.person]) for session in sessions if not session.is_over()}
        await self._following.begin(log for logs in new.values() for log in logs)
        for session, logs in new.items():
            if session.is_over():
                continue
            for log in logs:
                span = session.readable.last(log.key.name)
                session.behind[log.key.name] = span.after if span is not None else 0
            self._catch_up.start(session)

    def _look(self, session: Session, memberships: Memberships) -> list[HeldLog]:
        """Applies what is known now; the logs that it holds from now on."""
        session.memberships, session.suspended = memberships, False
        session.readable = readable(session.identity, memberships)
        self._held.changed(session)
        self._joining.reconsider(session)
        for name in [name for name in self._held.of(session) if name != session.state_log]:
            self._reconsider(session, name)
        new = [room for room in session.readable.open_rooms() if room not in self._held.of(session)]
        return [self._held.hold(session, room) for room in new]

    def _reconsider(self, session: Session, room: str) -> None:
        log, span = self._held.of(session)[room], session.readable.last(room)
        if span is None:
            self._held.release(session, room, asyncio.get_running_loop().time())
        elif log.hide(session):
            if span.until is not None or span.after > log.followed.seq:
                # Whether it has seen all that it may, and when it goes on, is for catching up to decide.
                session.behind[room] = log.followed.seq
            else:
                log.show(session)
