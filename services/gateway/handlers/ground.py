"""What company stands on: who is here, and how they are told."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.domain.live_rooms import LiveRooms
from services.gateway.domain.rooms import HeldLogs
from services.gateway.handlers.catch_up import CatchUp
from services.gateway.handlers.emitter import Emitter
from services.gateway.handlers.interest import Interest


@dataclass(frozen=True, slots=True)
class Ground:
    """Logs that are held, rooms without a log, and the handlers of both."""

    held: HeldLogs
    live: LiveRooms
    interest: Interest
    catch_up: CatchUp
    emitter: Emitter
