"""What people do to their inboxes: written down, then shown on their other sockets, here and on other gateways."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from libs.auth.tokens import Identity
from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from libs.schemas.records import StateChange, StateOperation
from services.gateway.domain.access import claimed_rooms
from services.gateway.domain.inbox import Filters, Place, Reader, Row, Seen, reader
from services.gateway.errors import Retryable
from services.gateway.handlers.following import Following
from services.gateway.handlers.memberships import Access
from services.gateway.ports import InboxStore, Interests, StateChanges

log = get_logger(__name__)

_REMEMBERED = 50_000  # readers whose claims are known to be open


class InboxDesk:
    """The inbox of whoever calls. Everything raises Retryable when the database is away."""

    def __init__(
        self,
        store: InboxStore,
        access: Access,
        interests: Interests,
        changes: StateChanges,
        following: Following,
        clock: Clock,
    ) -> None:
        self._store, self._access, self._interests = store, access, interests
        self._changes, self._following, self._clock = changes, following, clock
        self._opened: OrderedDict[Reader, None] = OrderedDict()

    async def page(
        self, identity: Identity, filters: Filters, limit: int, offset: int, after: Place | None
    ) -> tuple[Sequence[Row], bool]:
        """The rows, and whether there are more."""
        rows = await self._store.page(await self._reader(identity), filters, limit, offset, after)
        return rows[:limit], len(rows) > limit

    async def one(self, identity: Identity, notification: UUID) -> Row | None:
        """The row, or None when there is none for this reader."""
        return await self._store.one(await self._reader(identity), notification)

    async def unread_count(self, identity: Identity) -> int:
        """How many are unread."""
        return await self._store.unread_count(await self._reader(identity))

    async def mark(self, identity: Identity, notification: UUID, operation: StateOperation) -> Row | None:
        """Reads, unreads or deletes one; the row as it was before, or None when there is none for this reader."""
        marked = await self._store.mark(await self._reader(identity), notification, operation, self._clock())
        if marked is None:
            return None
        row, change = marked
        if change is not None:
            await self._tell(change)
        return row

    async def read_all(self, identity: Identity, seen: Seen | None) -> tuple[int, StateChange | None]:
        """Marks read what was seen, or everything; how many became read."""
        count, change = await self._store.read_all(await self._reader(identity), seen, self._clock())
        if change is not None:
            await self._tell(change)
        return count, change

    async def _reader(self, identity: Identity) -> Reader:
        """Opens what the token claims, once: what is addressed to those rooms from then on is the reader's."""
        who = reader(identity)
        if who not in self._opened and claimed_rooms(identity):
            await self._access.of(identity)
            self._opened[who] = None
            if len(self._opened) > _REMEMBERED:
                self._opened.popitem(last=False)
        return who

    async def _tell(self, change: StateChange) -> None:
        """Our own sockets at once, those of other gateways by Kafka. The change is committed: no fault undoes it."""
        self._following.accept(change)
        room = change.user_id if change.user_id.startswith("agent:") else f"user:{change.user_id}"
        try:
            self._changes.publish(change, await self._interests.interested((change.tenant, room)))
        except Retryable as error:
            log.warning("state_change_untold", tenant_id=change.tenant, user_id=change.user_id, errors=[str(error)])
