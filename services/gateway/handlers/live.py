"""The live side of the gateway, put together from its ports: feed, sessions, and the loops that keep them true."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from libs.auth.verifier import Verifier
from libs.catalogue.catalogue import Catalogue
from libs.runtime.clock import Clock
from libs.runtime.health import Health, Progress
from libs.runtime.logging import get_logger
from services.gateway.domain.commands import Acknowledge, Authenticate, Ping, Subscribe, Unsubscribe
from services.gateway.domain.live_rooms import LiveRooms
from services.gateway.domain.rooms import HeldLogs
from services.gateway.errors import Retryable
from services.gateway.handlers.acknowledgements import Acknowledgements
from services.gateway.handlers.catch_up import CatchUp, Limits
from services.gateway.handlers.client_events import ClientEvents
from services.gateway.handlers.company import Circle, Company
from services.gateway.handlers.credentials import Credentials, Tenants
from services.gateway.handlers.delivered import Delivered
from services.gateway.handlers.door import Door
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.feed import Feed, Hearers
from services.gateway.handlers.following import Following
from services.gateway.handlers.ground import Ground
from services.gateway.handlers.heartbeat import Heartbeat
from services.gateway.handlers.interest import Interest
from services.gateway.handlers.limiter import Limiter
from services.gateway.handlers.memberships import Access, MembershipWatch
from services.gateway.handlers.pacing import Pacing
from services.gateway.handlers.rounds import rounds
from services.gateway.handlers.sessions import Sessions
from services.gateway.handlers.subscriptions import Subscriptions
from services.gateway.handlers.upkeep import Upkeep
from services.gateway.ports import Directory, Inbox, Interests, Logs, Slots, Sockets, Unread
from services.gateway.settings import Settings

log = get_logger(__name__)

_STUCK_SECONDS = 60.0
_PASSED = 5  # rounds of comparing heads that may be left out


class Leases(Slots, Interests, Protocol):
    """Slots, and interest in them."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the live side talks to."""

    leases: Leases
    inbox: Inbox
    logs: Logs
    unread: Unread
    directory: Directory
    verifier: Verifier
    sockets: Sockets
    circle: Circle
    catalogue_of: Callable[[str], Catalogue]


class Live:
    """All of it. `run` goes on until cancelled; `stop` takes leave of clients and neighbours."""

    def __init__(self, settings: Settings, world: Neighbours, clock: Clock, health: Health) -> None:
        self._settings, self._health = settings, health
        held, live = HeldLogs(settings.room_memory), LiveRooms()
        self._passed = 0
        emitter = Emitter(world.sockets, clock)
        interest = Interest(world.leases, held, live, settings.interest_batch)
        self.following = Following(held, world.logs, interest, emitter, clock, settings.gap_patience)
        limits = Limits(settings.catch_up_limit, settings.resume_limit, portion=settings.slow_bytes // 4)
        catch_up = CatchUp(held, world.logs, world.unread, self.following, emitter, clock, limits)
        self._pacing = Pacing(held, catch_up, settings.told(), time.monotonic)
        self.access = Access(world.directory, settings.interest_batch)
        self.company = Company(settings, world.circle, Ground(held, live, interest, catch_up, emitter), clock)
        self.watch = MembershipWatch(self.access, held, self.following, catch_up, self.company.joining)
        sessions = Sessions(self.access, self.watch, held, self.following, catch_up, self.company, emitter, clock)
        tenants = Tenants(world.directory, settings.interest_batch, time.monotonic)
        self.credentials = Credentials(world.verifier, tenants)
        limiter = Limiter(settings.bounds(), time.monotonic)
        self.door = Door(settings, self.credentials, limiter, sessions, emitter, world.sockets, clock)
        self.acknowledgements = Acknowledgements(sessions, world.logs, emitter, clock, settings.patience())
        subscriptions = Subscriptions(world.catalogue_of, held, clock)
        self.events = ClientEvents(sessions, emitter, limiter, self.door, clock)
        self.events.assign(
            {
                Authenticate: self.door.refresh,
                Acknowledge: self.acknowledgements.acknowledge,
                Ping: subscriptions.ping,
                Subscribe: subscriptions.subscribe,
                Unsubscribe: subscriptions.unsubscribe,
                **self.company.doings(),
            }
        )
        self._heartbeat = Heartbeat(sessions, emitter, clock)
        self.delivered = Delivered(sessions, held, world.logs, world.sockets)
        emitter.shown, emitter.told = (self._pacing.shown, self.delivered.shown), self.delivered.told
        progress = health.watch("feed", _STUCK_SECONDS)
        hearers = Hearers(self.following, self.watch, self.company)
        self.feed = Feed(world.leases, world.inbox, interest, hearers, world.sockets, progress)
        self._upkeep = Upkeep(self.door, sessions, held, interest, world.sockets, settings.interest_linger)

    def loops(self) -> list[Awaitable[None]]:
        """Everything that goes round."""
        watch, settings = self._health.watch, self._settings
        return [
            self.feed.run(),
            rounds(self.feed.renew, watch("lease", _STUCK_SECONDS), settings.slot_heartbeat),
            rounds(self._compare, watch("heads", _STUCK_SECONDS), settings.heads_interval),
            rounds(self.delivered.flush, watch("delivered", _STUCK_SECONDS), settings.delivered_interval),
            rounds(self._pacing.resume, watch("pacing", _STUCK_SECONDS), 0.5),
            rounds(self.acknowledgements.flush, watch("acknowledged", _STUCK_SECONDS), settings.delivered_interval),
            rounds(self.acknowledgements.repeat, watch("repeated", _STUCK_SECONDS), settings.repeat_interval),
            rounds(self.delivered.ask, watch("confirmations", _STUCK_SECONDS), settings.confirm_interval),
            rounds(self._upkeep.step, watch("upkeep", _STUCK_SECONDS), 1.0),
            rounds(self._heartbeat.beat, watch("heartbeat", _STUCK_SECONDS), settings.heartbeat_interval),
            rounds(self._upkeep.watch_loop, watch("event-loop", _STUCK_SECONDS)),
            # These two wait until there is something to do, so standing still is no fault of theirs.
            rounds(self.following.attend, Progress("gaps", float("inf"))),
            rounds(self.watch.attend, Progress("memberships", float("inf"))),
            *self.company.loops(self._health),
        ]

    async def stop(self) -> None:
        """Tells clients when to come back, writes what they confirmed, gives the slot back."""
        await self.door.close()
        for farewell in (self.delivered.flush, self.acknowledgements.flush, self.company.farewell, self.feed.release):
            try:
                await farewell()
            except Retryable as error:
                log.warning("farewell_failed", errors=[str(error)])

    async def _compare(self) -> None:
        # While records wait to be read, what the heads would tell is among them, and would be fetched in vain.
        self._passed = self._passed + 1 if self.feed.lags and self._passed < _PASSED else 0
        if self._passed:
            return
        await self.following.compare()
        await self.watch.compare()
        await self.door.compare_tenants()
