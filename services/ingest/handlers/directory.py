"""Changes of the directory: written, then told to the gateways that hold the people's sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libs.runtime.logging import get_logger
from libs.schemas import rooms
from libs.schemas.records import MembershipChange
from libs.schemas.topics import GATEWAY_INBOX
from services.ingest.domain.directory import Change
from services.ingest.errors import Retryable
from services.ingest.live_ports import Listeners
from services.ingest.metrics import DIRECTORY, MEMBERSHIP_CHANGES
from services.ingest.ports.administering import Changed, Directory
from services.ingest.ports.publishing import Outgoing, Publisher

_log = get_logger(__name__)

#: A transaction holds the heads of the rooms that everybody is in, so it is kept short.
_AT_ONCE = 200
_ATTEMPTS = 3  # a deadlock or a serialization fault passes when it is tried again
_TELL_SECONDS = 3.0


class DirectoryChanges:
    """Applies changes from both doors."""

    def __init__(self, directory: Directory, listeners: Listeners, publisher: Publisher) -> None:
        self._directory, self._listeners, self._publisher = directory, listeners, publisher

    async def apply(self, changes: Sequence[Change], *, road: str, actor: str | None = None) -> None:
        """Returns when all are written. Raises Retryable: some may be, and all may be written again."""
        for start in range(0, len(changes), _AT_ONCE):
            part = changes[start : start + _AT_ONCE]
            await self._tell(await self._write(part, actor))
            for change in part:
                DIRECTORY.labels(road, "delete" if change.entry is None else "upsert").inc()
                if change.entry is None and change.subject.kind == "org":
                    await self._empty(change.subject.tenant, rooms.org(change.subject.id[0]))

    async def _write(self, changes: Sequence[Change], actor: str | None) -> list[Changed]:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._directory.apply(changes, actor)
            except Retryable as fault:
                _log.warning("directory_retried", errors=str(fault))
        return await self._directory.apply(changes, actor)

    async def _empty(self, tenant: str, room: str) -> None:
        while left := await self._directory.leave_room(tenant, room):
            await self._tell(left)

    async def _tell(self, changed: Sequence[Changed]) -> None:
        """Tells the gateways. It may fail: they compare the versions of memberships by themselves, only later."""
        if not changed:
            return
        MEMBERSHIP_CHANGES.inc(len(changed))
        homes = {(person.tenant, rooms.user(person.user)): person for person in changed}
        try:
            async with asyncio.timeout(_TELL_SECONDS):
                slots = await self._listeners.of(list(homes))
                records = [_record(homes[room], slot) for room, those in slots.items() for slot in those]
                if records:
                    await self._publisher.publish(records)
        except (Retryable, TimeoutError) as fault:
            _log.warning("gateways_not_told", errors=str(fault), count=len(changed))


def _record(person: Changed, slot: int) -> Outgoing:
    change = MembershipChange(tenant=person.tenant, user_id=person.user, version=person.version)
    return Outgoing(GATEWAY_INBOX.name, None, change.model_dump_json(by_alias=True).encode(), partition=slot)
