"""Ephemeral events: shown to whoever listens here, handed on to gateways where somebody does, kept nowhere (F3-6)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import orjson

from libs.runtime.logging import get_logger
from libs.schemas import ephemerals, rooms
from libs.schemas.ephemerals import MAX_PAYLOAD_BYTES
from libs.schemas.records import Ephemeral, PresenceChange
from services.gateway import metrics
from services.gateway.domain import joining
from services.gateway.domain.commands import Fault, SendEphemeral
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.hearing import hearers
from services.gateway.domain.joining import Resource
from services.gateway.domain.live_rooms import LiveRooms
from services.gateway.domain.pace import Pace
from services.gateway.domain.rooms import HeldLogs
from services.gateway.domain.session import Session
from services.gateway.handlers.authority import Authority
from services.gateway.handlers.batching import Batcher
from services.gateway.handlers.emitter import Emitter
from services.gateway.ports import Interests, Records, Room

log = get_logger(__name__)

#: The client says too much too fast.
TOO_FAST = Fault("RATE_LIMITED", "too many of these, please slow down")


class Publishing:
    """Hands records to the gateways that listen. Ours is one of them: what is shown here comes back by that road."""

    def __init__(self, interests: Interests, records: Records, batch: float) -> None:
        self._records = records
        self._slots: Batcher[Room, Sequence[int]] = Batcher(interests.listening, batch)

    async def publish(self, *records: Ephemeral | PresenceChange) -> None:
        """Raises Retryable when nobody can say who listens."""
        asked = [[(record.tenant, name) for name in _rooms(record)] for record in records]
        found = await self._slots.get(itertools.chain(*asked)) if records else {}
        for record, places in zip(records, asked, strict=True):
            if slots := sorted({slot for room in places for slot in found.get(room, ())}):
                self._records.publish(record, slots)


def _rooms(record: Ephemeral | PresenceChange) -> Sequence[str]:
    return record.rooms if isinstance(record, Ephemeral) else (rooms.TENANT,)


class Ephemerals:
    """`pace` bounds what one socket may send."""

    def __init__(
        self,
        held: HeldLogs,
        live: LiveRooms,
        authority: Authority,
        publishing: Publishing,
        emitter: Emitter,
        pace: Pace,
    ) -> None:
        self._held, self._live, self._authority = held, live, authority
        self._publishing, self._emitter, self._pace = publishing, emitter, pace

    def show(self, record: Ephemeral) -> None:
        """Shows it to whoever listens here, under its own name in every namespace."""
        emission = Emission(record.event, record.payload)
        told = self._emitter.tell(hearers(self._held, self._live, record), lambda _dialect: emission)
        metrics.EPHEMERALS_SHOWN.inc(told)

    async def send(self, session: Session, command: SendEphemeral) -> Emission | Fault | None:
        """`ephemeral {room, event, payload}` from a client to the others in a resource that it has joined."""
        wanted = joining.named(command.room, session.tenant)
        if not isinstance(wanted, Resource) or wanted.room not in self._live.seats(session):
            return Fault(joining.NOT_JOINED.code, joining.NOT_JOINED.message, "room")
        if not ephemerals.is_name(command.event) or ephemerals.is_reserved(command.event):
            return Fault("RESERVED_EVENT", "events of your own need a name that is not the platform's", "event")
        if len(orjson.dumps(command.payload)) > MAX_PAYLOAD_BYTES:
            return Fault("PAYLOAD_TOO_LARGE", f"at most {MAX_PAYLOAD_BYTES} bytes", "payload")
        policy = await self._authority.policy(session.tenant, wanted.type)
        if policy is None or not policy.client_events:
            return Fault("FORBIDDEN", "clients may not send events of their own here", "room")
        if not self._pace.take(session.sid, asyncio.get_running_loop().time()):
            return TOO_FAST
        # Who it is from is ours to say.
        payload = {**command.payload, "userId": session.reader}
        record = Ephemeral(
            tenant=session.tenant, rooms=(wanted.room,), event=command.event, payload=payload, exclude=session.sid
        )
        await self._publishing.publish(record)
        return None
