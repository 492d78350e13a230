"""Which records a replay takes, and what became of each: counted, for the summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cli.domain.replay import Planned, Position
from libs.schemas.topics import IDS_KEPT


class Fate(StrEnum):
    """What became of a record; the text is what the summary says."""

    NEW = "sent again, and new"
    DUPLICATE = "sent again, and known already: it changes nothing"
    PLANNED = "deliveries planned again"
    REPLAYED_BEFORE = "left alone: replayed before"
    IMPOSSIBLE = "not replayed"
    TOO_OLD = "refused: older than ids are known"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are meant. `again`: also dead letters that have been replayed before."""

    now: datetime
    tenant: str | None = None
    code: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record, where it stands, and what replaying it means. `at` is when it was written, in milliseconds; `code` is
    that of a dead letter."""

    position: Position
    at: int
    planned: Planned
    code: str | None = None

    def meant(self, wanted: Wanted) -> bool:
        """Whether it is one of those that were asked for."""
        of_code = wanted.code is None or self.code == wanted.code
        return of_code and (wanted.tenant is None or self.planned.tenant == wanted.tenant)

    def too_old(self, now: datetime) -> bool:
        """Whether nobody can tell any more that it was there before."""
        return self.at < (now - IDS_KEPT).timestamp() * 1000


@dataclass(slots=True)
class Tally:
    """How many records were looked at, and what became of those that were meant."""

    read: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)

    @property
    def findings(self) -> int:
        """Those that could not be replayed."""
        return self.fates[Fate.IMPOSSIBLE] + self.fates[Fate.TOO_OLD]

    def lines(self) -> list[str]:
        """The summary."""
        return [f"{self.read} records read", *(f"{self.fates[fate]} {fate}" for fate in Fate if self.fates[fate])]
