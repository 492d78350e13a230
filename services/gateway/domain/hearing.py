"""Who hears what stands in no log: everybody who listens to one of its rooms now, each once."""

from __future__ import annotations

from libs.schemas import rooms
from libs.schemas.records import Ephemeral
from services.gateway.domain.live_rooms import LiveRooms, Seat
from services.gateway.domain.logs import LogKey
from services.gateway.domain.rooms import HeldLog, HeldLogs
from services.gateway.domain.session import Session


def hearers(held: HeldLogs, live: LiveRooms, record: Ephemeral) -> list[Session]:
    """The sessions that hear the record, without the one that caused it."""
    found: dict[str, Session] = {}
    for room in record.rooms:
        if rooms.is_log(room):
            found |= {session.sid: session for session in listeners(held, record.tenant, room)}
        else:
            seats = live.members(record.tenant, room)
            found |= {sid: seat.session for sid, seat in seats.items() if _sits(seat)}
    found.pop(record.exclude or "", None)
    return list(found.values())


def listeners(held: HeldLogs, tenant: str, room: str) -> list[Session]:
    """The sessions in a room with a log, but for those that have left it or may not read on."""
    log = held.get(LogKey(tenant, room))
    return [] if log is None else [session for session in log.holders if _listens(session, log)]


def _listens(session: Session, log: HeldLog) -> bool:
    room = log.key.name
    if session.sid not in log.live and room not in session.behind:
        return False
    if session.suspended and not session.is_own(room):
        return False
    span = session.readable.last(room)
    return span is not None and span.until is None


def _sits(seat: Seat) -> bool:
    """What the memberships of a session give it is not known while they are being read."""
    return seat.resource is None or not seat.session.suspended
