"""What people changed is told to their sockets: our own at once, those of other gateways by Kafka.

The change is committed by then, so no fault undoes it: what is not told is found by comparing heads and versions.
"""

from __future__ import annotations

from collections.abc import Iterable

from libs.runtime.logging import get_logger
from libs.schemas import rooms
from libs.schemas.records import MembershipChange, StateChange
from services.gateway.errors import Retryable
from services.gateway.handlers.following import Following
from services.gateway.handlers.memberships import MembershipWatch
from services.gateway.ports import Interests, Records

log = get_logger(__name__)


class Telling:
    """Tells of state changes and of changed memberships."""

    def __init__(self, interests: Interests, records: Records, following: Following, watch: MembershipWatch) -> None:
        self._interests, self._records = interests, records
        self._following, self._watch = following, watch

    async def states(self, changes: Iterable[StateChange]) -> None:
        """What people did to their inboxes."""
        for change in changes:
            self._following.accept(change)
            await self._publish(change)

    async def membership(self, change: MembershipChange) -> None:
        """What a person may read, or has muted, is to be read anew."""
        self._watch.accept(change)
        await self._publish(change)

    async def _publish(self, change: StateChange | MembershipChange) -> None:
        user = change.user_id
        room = (change.tenant, user if user.startswith("agent:") else rooms.user(user))
        try:
            self._records.publish(change, (await self._interests.listening([room])).get(room, []))
        except Retryable as error:
            log.warning("change_untold", tenant_id=change.tenant, user_id=user, errors=[str(error)])
