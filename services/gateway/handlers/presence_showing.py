"""Presence as clients see it: frames, at a bounded rate, and the numbers of a tenant (F3-1, F4-1)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from libs.auth.tokens import Identity
from libs.runtime.clock import Clock, iso
from libs.schemas import rooms
from libs.schemas.records import PresenceChange
from services.gateway.domain.commands import GetPresence
from services.gateway.domain.dialects.dialect import Dialect, Emission
from services.gateway.domain.hearing import listeners
from services.gateway.domain.presence import Frames, News
from services.gateway.domain.rooms import HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.presence import TenantSizes
from services.gateway.handlers.remembering import Remembered
from services.gateway.live_ports import Presences

_OVERLAP = timedelta(seconds=10)  # a change is committed a little later than its time says
_CHANGES = 1_000  # of a tenant, looked at together
_ANSWERS = 1_000
_ANSWER_SECONDS = 1.0  # for how long the numbers of a tenant are good enough for the next who asks
_PEOPLE = 1_000  # in one answer

_NEWS: dict[News, Callable[[PresenceChange, Dialect], Emission]] = {
    News.CAME: lambda change, dialect: dialect.came(change.user_id),
    News.WENT: lambda change, dialect: dialect.went(change.user_id),
    News.CHANGED: lambda change, dialect: dialect.presence(change.user_id, change.status, change.custom_status),
}


class PresenceFrames:
    """Tells the clients of a tenant who came, went, and changed."""

    def __init__(
        self, store: Presences, frames: Frames, sizes: TenantSizes, held: HeldLogs, emitter: Emitter, clock: Clock
    ) -> None:
        self._store, self._frames, self._sizes = store, frames, sizes
        self._held, self._emitter, self._clock = held, emitter, clock
        self._looked: dict[str, datetime] = {}

    def accept(self, change: PresenceChange) -> None:
        """Another gateway, or ours, says that somebody's presence changed."""
        self._frames.offer(change)

    async def show(self) -> None:
        """One round: tells what may be told now. Raises Retryable."""
        due: defaultdict[str, list[Callable[[Dialect], Emission]]] = defaultdict(list)
        for change, frames in self._frames.due(asyncio.get_running_loop().time()):
            due[change.tenant] += [partial(_NEWS[kind], change) for kind in frames]
        large = await self._sizes.large(due) if due else ()
        for tenant, shapes in due.items():
            if tenant in large:  # it has grown since
                self._frames.forget(tenant)
                continue
            sessions = listeners(self._held, tenant, rooms.TENANT)
            for shape in shapes:
                self._emitter.tell(sessions, shape)

    async def compare(self) -> None:
        """One round: looks for changes that no record told of. Raises Retryable."""
        now = self._clock()
        held = {log.key.tenant for log in self._held if log.key.name == rooms.TENANT and log.holders}
        small = held - await self._sizes.large(held)
        moments = {tenant: self._looked.get(tenant, now - _OVERLAP) for tenant in small}
        found = await self._store.since(moments, _CHANGES) if moments else []
        self._looked = dict.fromkeys(moments, now - _OVERLAP)
        for change, at in found:
            self._frames.offer(change)
            # Where there was more than one page, the next one begins at its end.
            self._looked[change.tenant] = max(moments[change.tenant], min(at, now - _OVERLAP))


class _Asked(NamedTuple):
    tenant: str
    users: tuple[str, ...] | None
    for_admins: bool


class PresenceNumbers:
    """Answers `getPresence`, within the tenant of whoever asks."""

    def __init__(
        self, store: Presences, admin_roles: frozenset[str], clock: Clock, monotonic: Callable[[], float]
    ) -> None:
        self._store, self._admin_roles, self._clock = store, admin_roles, clock
        self._answers: Remembered[_Asked, dict[str, Any]] = Remembered(self._load, _ANSWERS, monotonic)

    async def answer(self, session: Session, command: GetPresence) -> Emission:
        """`presenceStats`"""
        return session.dialect.presence_stats(await self.of(session.identity, command.users))

    async def of(self, identity: Identity, users: Sequence[str] | None) -> dict[str, Any]:
        """`{total, byRole, users}`; for administrators with `socketsPerUser` and `sessions`. Raises Retryable."""
        is_admin = bool(self._admin_roles & set(identity.roles))
        asked = None if users is None else tuple(sorted(set(users)))
        return await self._answers.get(_Asked(identity.tenant, asked, is_admin)) | {"timestamp": iso(self._clock())}

    async def _load(self, asked: _Asked) -> tuple[dict[str, Any], float]:
        nobody = (asked.tenant, "")
        stats = await self._store.stats(nobody, asked.users, _PEOPLE)
        answer: dict[str, Any] = {"total": stats.total, "byRole": dict(stats.by_role), "users": list(stats.people)}
        if asked.for_admins:
            found = await self._store.sockets(nobody, asked.users, _PEOPLE)
            answer["socketsPerUser"] = {one.user_id: one.sockets for one in found}
            answer["sessions"] = [{"userId": one.user_id, "sessionId": name} for one in found for name in one.sessions]
        return answer, _ANSWER_SECONDS
