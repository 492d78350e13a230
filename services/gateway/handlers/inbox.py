"""What people do to their inboxes: written down, then shown on their other sockets, here and on other gateways."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from libs.auth.tokens import Identity
from libs.runtime.clock import Clock
from libs.schemas.records import StateChange, StateOperation
from services.gateway.domain.access import claimed_rooms
from services.gateway.domain.inbox import Count, Filters, Place, PositionOperation, Reader, Row, Seen, reader
from services.gateway.domain.marks import Action
from services.gateway.handlers.memberships import Access
from services.gateway.handlers.telling import Telling
from services.gateway.store_ports import InboxStore

_REMEMBERED = 50_000  # readers whose claims are known to be open
_AT_ONCE = 500  # marked in one call, or woken in one round


class InboxDesk:
    """The inbox of whoever calls. Everything raises Retryable when the database is away."""

    def __init__(self, store: InboxStore, access: Access, telling: Telling, clock: Clock) -> None:
        self._store, self._access, self._telling, self._clock = store, access, telling, clock
        self._opened: OrderedDict[Reader, None] = OrderedDict()

    async def page(
        self, identity: Identity, filters: Filters, limit: int, offset: int, after: Place | None
    ) -> tuple[Sequence[Row], bool]:
        """The rows, and whether there are more."""
        rows = await self._store.page(await self.reader(identity), filters, limit, offset, after, self._clock())
        return rows[:limit], len(rows) > limit

    async def one(self, identity: Identity, notification: UUID) -> Row | None:
        """The row, or None when there is none for this reader."""
        return await self._store.one(await self.reader(identity), notification, self._clock())

    async def unread_count(self, identity: Identity) -> int:
        """How many are unread."""
        return await self._store.unread_count(await self.reader(identity), self._clock())

    async def counts(self, identity: Identity) -> list[Count]:
        """By type, how many are unread and how many were not seen."""
        return await self._store.counts(await self.reader(identity), self._clock())

    async def mark(self, identity: Identity, notification: UUID, operation: StateOperation) -> Row | None:
        """Does something to one; its row before, or None when there is none for this reader."""
        row = await self.one(identity, notification)
        if row is not None:
            await self.act(identity, [notification], Action(operation))
        return row

    async def act(self, identity: Identity, notifications: Sequence[UUID], action: Action) -> tuple[set[UUID], int]:
        """Does it to each; which of them are the reader's, and how many were changed."""
        found, changes = await self._store.mark(await self.reader(identity), notifications, action, self._clock())
        await self._telling.states(changes)
        return found, len(changes)

    async def act_matching(
        self, identity: Identity, filters: Filters, seen: Seen | None, action: Action
    ) -> tuple[int, bool]:
        """Does it to what matches, up to what was seen; how many were changed, and whether to call again."""
        who, now = await self.reader(identity), self._clock()
        changes, more = await self._store.mark_matching(who, filters, seen, action, _AT_ONCE, now)
        await self._telling.states(changes)
        return len(changes), more

    async def move(
        self, identity: Identity, operation: PositionOperation, seen: Seen | None
    ) -> tuple[int, StateChange | None]:
        """Does it up to what was seen, or to everything; how many became read."""
        count, change = await self._store.move(await self.reader(identity), operation, seen, self._clock())
        await self._telling.states([] if change is None else [change])
        return count, change

    async def read_all(self, identity: Identity, seen: Seen | None) -> tuple[int, StateChange | None]:
        """Marks read what was seen, or everything; how many became read."""
        return await self.move(identity, "read_all", seen)

    async def wake(self) -> None:
        """One round: what was snoozed and is due comes back, and its sockets are told."""
        await self._telling.states(await self._store.wake(_AT_ONCE, self._clock()))

    async def reader(self, identity: Identity) -> Reader:
        """The reader. Opens what the token claims, once: what is said to those rooms from then on is the reader's."""
        who = reader(identity)
        if who not in self._opened and claimed_rooms(identity):
            await self._access.open(identity)
            self._opened[who] = None
            if len(self._opened) > _REMEMBERED:
                self._opened.popitem(last=False)
        return who
