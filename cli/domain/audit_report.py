"""The report of an audit: every check with its difference, and what is in flight."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from cli.domain import accounting, doors
from cli.domain.accounting import Check, Ends, Lag, Partition, ProgressRow
from cli.domain.doors import Written
from libs.runtime.clock import iso
from libs.schemas import topics


@dataclass(frozen=True, slots=True)
class Working:
    """Work on its way inside the database; `later` are deliveries whose next attempt is not due yet. `router` is what
    the router is about to do without an event."""

    expansions: int
    router: int
    due: int
    claimed: int
    later: int

    @property
    def total(self) -> int:
        """Rows that somebody is about to work on."""
        return self.expansions + self.router + self.due + self.claimed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the database and, read after it, the topics. `consumers` names the topics that each one reads."""

    at: datetime
    progress: tuple[ProgressRow, ...]
    working: Working
    written: tuple[Written, ...] = ()
    checks: tuple[Check, ...] = ()
    cluster: str = ""
    ends: Mapping[Partition, Ends] = field(default_factory=dict)
    consumers: Mapping[str, Set[str]] = field(default_factory=dict)

    @property
    def lags(self) -> tuple[Lag, ...]:
        """Records in flight, by consumer and partition."""
        return tuple(accounting.lags(self.consumers, self.progress, self.ends, self.cluster))

    @property
    def in_flight(self) -> int:
        """Records and rows that somebody is about to work on."""
        return sum(lag.records for lag in self.lags) + self.working.total


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found at one moment."""

    at: datetime
    cluster: str
    checks: tuple[Check, ...]
    lags: tuple[Lag, ...]
    working: Working

    @property
    def difference(self) -> int:
        """The sum of all differences: 0 when everything adds up."""
        return sum(check.difference for check in self.checks)

    @property
    def in_flight(self) -> int:
        """Records and rows that somebody is about to work on."""
        return sum(lag.records for lag in self.lags) + self.working.total

    def body(self) -> dict[str, Any]:
        """The report as JSON members."""
        return {
            "at": iso(self.at),
            "cluster": self.cluster,
            "difference": self.difference,
            "checks": [asdict(check) for check in self.checks],
            "inFlight": {"total": self.in_flight, "records": [asdict(lag) for lag in self.lags]} | asdict(self.working),
        }


def judge(snapshot: Snapshot, prefix: str, limit: int) -> Report:
    """Adds the checks that need counts from both sides, and what is in flight."""
    rows, lags = snapshot.progress, snapshot.lags
    gone = accounting.vanished(rows, snapshot.ends, snapshot.cluster)
    uncounted = doors.uncounted(rows, snapshot.written, prefix)
    written = sum(entry.notifications for entry in snapshot.written)
    checks = [
        Check.of("offsets", "every offset read is accounted for", len(rows), accounting.unbalanced(rows), limit),
        Check.of("ends", "no progress stands past the end of its topic", len(snapshot.ends), gone, limit),
        Check.of("notifications", "the router's count is the number of notifications", written, uncounted, limit),
    ]
    if doors.comparable(rows, snapshot.cluster):
        lost = doors.lost_between(rows, snapshot.written, lags, prefix + topics.NOTI.name)
        checks.append(Check.of("handover", "what ingest accepted has reached the router", written, lost, limit))
    return Report(snapshot.at, snapshot.cluster, (*checks, *snapshot.checks), lags, snapshot.working)
