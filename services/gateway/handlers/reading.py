"""`markNotificationRead`: what a client reads by its socket, as by HTTP (F4-1)."""

from __future__ import annotations

from libs.schemas.records import StateChange
from services.gateway.domain.commands import Fault, MarkRead
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.marks import Action
from services.gateway.domain.session import Session
from services.gateway.handlers.inbox import InboxDesk

_NOT_THERE = Fault("NOT_FOUND", "there is no such notification in your inbox", "notificationId")


class Reading:
    """Marks notifications read for sockets."""

    def __init__(self, desk: InboxDesk) -> None:
        self._desk = desk

    async def mark_read(self, session: Session, command: MarkRead) -> Emission | Fault | None:
        """The answer comes with the state log, to all sockets of the person; here only when it was read already."""
        found, changed = await self._desk.act(session.identity, [command.notification], Action("read"))
        if changed:
            return None
        row = await self._desk.one(session.identity, command.notification) if found else None
        if row is None or row["read_at"] is None:
            return _NOT_THERE
        return session.dialect.state(
            StateChange(
                tenant=session.tenant,
                user_id=session.reader,
                epoch=0,
                seq=0,
                operation="read",
                notification_id=command.notification,
                room=row["room"],
                room_seq=row["seq"],
                at=row["read_at"],
            )
        )
