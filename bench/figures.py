"""What is measured of every server of sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.result import Result


@dataclass(frozen=True)
class Size:
    """How much of each work one server gets."""

    connections: int
    paced: int  # events at 20/s
    flat_out: int
    unicasts: int
    slow_paced: int  # events at 5/s


@dataclass
class Figures:
    """Of one server: deliveries and accepts in 1/CPU-second, memory in kB, times in ms, the storm in seconds."""

    accepts: float
    memory: float
    paced: float
    flat_out: float
    joined: float  # events in one read of a client
    unicast: float
    p50: float
    p99: float
    leaving: float
    storm: float = 0.0


_WORKS = (
    ("deliveries to a room at 20/s", "paced", "1/CPU-s", 130_000),
    ("deliveries to a room flat out", "flat_out", "1/CPU-s", 1_000_000),
    ("unicasts flat out", "unicast", "1/CPU-s", 45_000),
    ("memory of a connection", "memory", "kB", 5),
    ("accepted connections", "accepts", "1/CPU-s", 5_000),
    ("storm: 5,000 back after a restart", "storm", "s", 1.5),
    ("latency p50 at 5/s", "p50", "ms", 20),
    ("latency p99 at 5/s", "p99", "ms", 50),
    ("longest work of the loop when all leave", "leaving", "ms", 20),
)


def results(bench: str, ours: Figures, peers: Mapping[str, Figures]) -> list[Result]:
    """One result for each work that was measured, with the peers beside it."""
    return [
        Result(
            f"{bench} {name}",
            getattr(ours, figure),
            unit,
            None,
            {peer: getattr(of, figure) for peer, of in peers.items() if getattr(of, figure)},
            goal,
            {"joined": ours.joined} if figure == "flat_out" else {},
        )
        for name, figure, unit, goal in _WORKS
        if getattr(ours, figure)
    ]
