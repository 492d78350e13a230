"""What a benchmark says: one JSON line, with a peer or a limit measured beside it in the same run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import psutil


@dataclass(frozen=True)
class Result:
    """A figure with what stands beside it.

    Args:
        bench: its name.
        figure: the measured value.
        unit: of the figure and of all that stands beside it.
        cpu_s: CPU seconds of the measured process; None where time is what counts.
        beside: figures of peers or limits by name, measured in the same run.
        goal: what was aimed at, in the same unit.
        more: further facts, such as the CPU of a neighbour.
    """

    bench: str
    figure: float
    unit: str
    cpu_s: float | None = None
    beside: dict[str, float] = field(default_factory=dict)
    goal: float | None = None
    more: dict[str, float] = field(default_factory=dict)

    def line(self) -> str:
        """The JSON line; `ratio` is the figure over the first one beside it."""
        first = next(iter(self.beside.values()), None)
        return json.dumps(
            {
                "bench": self.bench,
                "figure": round(self.figure, 3),
                "unit": self.unit,
                "cpu_s": None if self.cpu_s is None else round(self.cpu_s, 3),
                "beside": {name: round(value, 3) for name, value in self.beside.items()},
                "ratio": None if not first else round(self.figure / first, 3),
                "goal": self.goal,
                **({"more": {name: round(value, 3) for name, value in self.more.items()}} if self.more else {}),
            }
        )


def cpu_seconds(pid: int) -> float:
    """CPU time that a process and its children have used so far."""
    process = psutil.Process(pid)
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    return float(sum(t.user + t.system for t in times))


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process in MB (1,000,000 bytes)."""
    return float(psutil.Process(pid).memory_info().rss / 1e6)
