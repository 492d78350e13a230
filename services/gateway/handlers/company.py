"""What people are to each other while they are here, put together: joined rooms, presence, typing, ephemeral events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

from libs.runtime.clock import Clock
from libs.runtime.health import Health
from libs.schemas.records import Ephemeral, PresenceChange
from services.gateway.domain.commands import (
    Command,
    GetPresence,
    JoinRoom,
    LeaveRoom,
    SendEphemeral,
    Typing,
    UpdatePresence,
)
from services.gateway.domain.pace import Pace
from services.gateway.domain.presence import Frames, Roster
from services.gateway.domain.session import Session
from services.gateway.domain.typing import Drafts, Typists
from services.gateway.handlers.authority import Authority
from services.gateway.handlers.doing import Doing
from services.gateway.handlers.ephemerals import Ephemerals, Publishing
from services.gateway.handlers.ground import Ground
from services.gateway.handlers.joining import Joining
from services.gateway.handlers.presence import PresenceReports, TenantSizes
from services.gateway.handlers.presence_showing import PresenceFrames, PresenceNumbers
from services.gateway.handlers.rounds import rounds
from services.gateway.handlers.typing import TypingDesk
from services.gateway.live_ports import Application, Policies, Presences
from services.gateway.ports import Interests, Records
from services.gateway.settings import Settings

_STUCK_SECONDS = 60.0
_FRAME_SECONDS = 0.25  # between looks at what of presence may be told: frames of one look are one write
_ROUND_SECONDS = 0.5
_MAX_TYPISTS = 10_000
_MAX_REMEMBERED = 100_000  # people whose last presence is remembered


@dataclass(frozen=True, slots=True)
class Circle:
    """What company talks to. `name` is this gateway's among the gateways."""

    name: str
    interests: Interests
    records: Records
    policies: Policies
    application: Application
    presences: Presences


class Company:
    """All of it."""

    def __init__(self, settings: Settings, circle: Circle, ground: Ground, clock: Clock) -> None:
        self._settings, self._ground = settings, ground
        held, live, emitter = ground.held, ground.live, ground.emitter
        authority = Authority(circle.policies, circle.application, settings.policy_refresh, clock, time.monotonic)
        publishing = Publishing(circle.interests, circle.records, settings.interest_batch)
        pace = Pace(settings.ephemeral_rate)
        self.joining = Joining(ground, authority, clock, most=settings.rooms_per_socket, grace=settings.policy_grace)
        self._ephemerals = Ephemerals(held, live, authority, publishing, emitter, pace)
        drafts = Drafts(settings.typing_repeat, settings.typing_places)
        typists = Typists(settings.typing_patience, _MAX_TYPISTS)
        self._typing = TypingDesk(live, authority, publishing, self._ephemerals, drafts, typists, pace)
        self._roster = Roster(settings.presence_grace)
        sizes = TenantSizes(circle.presences, settings.presence_members, time.monotonic)
        self._reports = PresenceReports(
            circle.presences, self._roster, sizes, publishing, circle.name, settings.presence_grace
        )
        frames = Frames(settings.presence_frames, _MAX_REMEMBERED)
        self._frames = PresenceFrames(circle.presences, frames, sizes, held, emitter, clock)
        self.numbers = PresenceNumbers(circle.presences, settings.admin_roles, clock, time.monotonic)

    def doings(self) -> Mapping[type[Command], Doing]:
        """Who does which commands of clients."""
        return {
            JoinRoom: self.joining.join,
            LeaveRoom: self.joining.leave,
            GetPresence: self.numbers.answer,
            UpdatePresence: self._reports.choose,
            Typing: self._typing.hear,
            SendEphemeral: self._ephemerals.send,
        }

    def loops(self, health: Health) -> list[Awaitable[None]]:
        """Everything that goes round."""
        watch, settings = health.watch, self._settings
        return [
            rounds(self._reports.beat, watch("presence", _STUCK_SECONDS), settings.presence_heartbeat),
            rounds(self._reports.flush, watch("comings-and-goings", _STUCK_SECONDS), settings.presence_interval),
            rounds(self._frames.show, watch("presence-frames", _STUCK_SECONDS), _FRAME_SECONDS),
            rounds(self._frames.compare, watch("presence-changes", _STUCK_SECONDS), settings.heads_interval),
            rounds(self._typing.expire, watch("typing", _STUCK_SECONDS), _ROUND_SECONDS),
            rounds(self._tidy, watch("rooms", _STUCK_SECONDS), _ROUND_SECONDS),
        ]

    async def welcome(self, sessions: Sequence[Session]) -> None:
        """Sessions are beginning. Raises Retryable."""
        await self.joining.sit_down(sessions)
        for session in sessions:
            if not session.is_over():
                self._roster.arrive(session)

    def part(self, session: Session) -> None:
        """A session is over."""
        self._roster.depart(session, asyncio.get_running_loop().time())
        self._typing.close(session)
        self.joining.close(session)

    def hear(self, record: Ephemeral) -> None:
        """Something that stands in no log."""
        self._typing.show(record)
        self._ephemerals.show(record)

    def notice(self, change: PresenceChange) -> None:
        """Somebody's presence changed."""
        self._frames.accept(change)

    async def farewell(self) -> None:
        """This process ends. Raises Retryable."""
        await self._reports.flush()
        await self._reports.farewell()

    async def _tidy(self) -> None:
        await self.joining.recheck()
        idle = self._ground.live.idle(asyncio.get_running_loop().time() - self._settings.interest_linger)
        if idle:
            await self._ground.interest.forget(idle)
