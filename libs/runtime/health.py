"""Health of a process: what must be ready, and whether work still makes progress."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Check = Callable[[], Awaitable[str | None]]


@dataclass(slots=True)
class Progress:
    """Watches that a loop goes round. A loop that holds work because a neighbour is down says so and is healthy."""

    name: str
    limit: float
    clock: Callable[[], float] = time.monotonic
    _last: float = field(default=0.0)
    _holding: str | None = None

    def __post_init__(self) -> None:
        self._last = self.clock()

    def made(self) -> None:
        """The loop went round, or had nothing to do."""
        self._last = self.clock()
        self._holding = None

    def holding(self, reason: str) -> None:
        """The loop waits for a neighbour and will go on by itself."""
        self._last = self.clock()
        self._holding = reason

    def fault(self) -> str | None:
        """Why the loop counts as stuck, or None."""
        still = self.clock() - self._last
        return f"no progress for {still:.0f} s" if still > self.limit else None

    @property
    def held(self) -> str | None:
        """Why the loop holds its work, or None."""
        return self._holding


@dataclass(slots=True)
class Health:
    """Readiness checks (each returns what is wrong, or None) and the progress that liveness watches."""

    checks: dict[str, Check] = field(default_factory=dict)
    progress: list[Progress] = field(default_factory=list)
    stopping: bool = False

    def watch(self, name: str, limit: float) -> Progress:
        """A new progress to report to; `limit` in seconds is how long it may stand still."""
        progress = Progress(name, limit)
        self.progress.append(progress)
        return progress

    def alive(self) -> dict[str, str]:
        """What is stuck, by name: empty when the process is alive."""
        return {p.name: fault for p in self.progress if (fault := p.fault()) is not None}

    async def ready(self) -> dict[str, str]:
        """What is not ready, by name: empty when the process can take work."""
        if self.stopping:
            return {"process": "stopping"}
        faults: dict[str, str] = {}
        for name, check in self.checks.items():
            fault = await _ask(check)
            if fault is not None:
                faults[name] = fault
        return faults


async def _ask(check: Check) -> str | None:
    try:
        return await check()
    except Exception as error:  # noqa: BLE001 - a check that fails in any way is a fault to report, not to raise
        return f"{type(error).__name__}: {error}"
