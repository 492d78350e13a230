"""What happens next: every effect of a router waits at a gate, and a list of moves says which opens, or who dies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from tests.simulation.broker import Broker
from tests.simulation.database import Database
from tests.simulation.loop import SteppedLoop, Stuck

BEGINNING = datetime(2026, 11, 21, 10, tzinfo=UTC)
MOST_STEPS, LATEST = 3_000, 600.0  # effects, seconds

#: go: a gate opens · fail: its neighbour does not answer · crash: a router dies, and starts again · move: a partition
#: is given to the other router, which the first does not notice · wait: time passes first · cancel: somebody asks to
#: cancel an event
Kind = Literal["go", "fail", "crash", "move", "wait", "cancel"]
Move = tuple[Kind, int]


@dataclass(frozen=True, slots=True)
class Gate:
    """An effect that is about to happen."""

    process: Process
    name: str
    opened: asyncio.Future[None]


@dataclass(slots=True)
class Process:
    """A process that may die: from then on it has no effect on anything."""

    world: World
    name: str
    dead: bool = False

    async def effect(self, name: str) -> None:
        """Waits until it may happen. Raises ConnectionError where the neighbour does not answer."""
        if self.dead:
            raise asyncio.CancelledError
        gate = Gate(self, name, asyncio.get_running_loop().create_future())
        self.world.gates.append(gate)
        await gate.opened


class Routers(Protocol):
    """The routers of a world."""

    def crash(self, number: int) -> None:
        """One dies and starts again, with nothing but what was committed."""

    def move(self, number: int) -> None:
        """A partition goes to the other."""

    def cancel(self, number: int) -> None:
        """Somebody asks to cancel an event."""

    def done(self) -> bool:
        """Whether everything is dealt with."""


@dataclass(slots=True)
class World:
    """The stores, the gates, and the moves: when those are used up, the oldest gate opens each time."""

    moves: Sequence[Move]
    database: Database = field(default_factory=Database)
    broker: Broker = field(default_factory=Broker)
    gates: list[Gate] = field(default_factory=list)
    routers: Routers | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    trace: list[str] = field(default_factory=list)
    loop: SteppedLoop = field(init=False)
    _steps: int = 0

    def __post_init__(self) -> None:
        self.loop = SteppedLoop(self.idle)

    def now(self) -> datetime:
        """The time of all clocks."""
        return BEGINNING + timedelta(seconds=self.loop.now)

    def idle(self, may_wait: bool) -> bool:
        """Lets something happen; False when time is to pass first, or nothing can happen any more."""
        if self.finished.is_set():
            return False
        assert self.routers is not None
        if self.routers.done():
            self.finished.set()
            return True
        if self._steps >= MOST_STEPS or self.loop.now > LATEST:
            raise Stuck(f"not done after {self._steps} effects and {self.loop.now:.0f} s")
        kind, number = self.moves[self._steps] if self._steps < len(self.moves) else ("go", 0)
        self._steps += 1
        return self._make(kind, number, may_wait)

    def _make(self, kind: Kind, number: int, may_wait: bool) -> bool:
        assert self.routers is not None
        self.gates[:] = [gate for gate in self.gates if not gate.opened.done() and not gate.process.dead]
        if kind == "crash":
            self.trace.append(f"crash {number}")
            self.routers.crash(number)
        elif kind == "move":
            self.trace.append(f"move {number}")
            self.routers.move(number)
        elif kind == "cancel":
            self.trace.append(f"cancel {number}")
            self.routers.cancel(number)
        elif not self.gates or (kind == "wait" and may_wait):
            return False
        else:
            gate = self.gates.pop(number % len(self.gates))
            self.trace.append(f"{gate.process.name}: {gate.name}{' fails' if kind == 'fail' else ''}")
            if kind == "fail":
                gate.opened.set_exception(ConnectionError(gate.name))
            else:
                gate.opened.set_result(None)
        return True
