"""Following one log: what is next is shown, what is old dropped, what is missing waited for and then fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from services.gateway.domain.logs import Entry, Head, Stretch

_MAX_AHEAD = 256  # entries kept while an earlier one is missing; more are fetched again
_NOTHING: dict[int, Entry] = {}  # the same for all followers, and never written to


class Judgement(Enum):
    """What a head read from the database says about a log that is followed."""

    SAME = auto()  # nothing that is not known
    BEHIND = auto()  # entries are missing; they will be fetched
    ANEW = auto()  # another epoch, or an end before what is known: the log has begun anew


@dataclass(slots=True)
class Follower:
    """`seq` is the last entry shown; everything up to it was shown in order.

    Times are seconds of a monotonic clock. A gap is due `patience` seconds after it was noticed: two routers race,
    so most gaps close by themselves.
    """

    epoch: int
    seq: int
    patience: float = 0.03
    _ahead: dict[int, Entry] = field(default_factory=lambda: _NOTHING)
    _known: int = 0
    _due: float | None = None

    def offer(self, entry: Entry, now: float) -> list[Entry] | None:
        """The entries to show now, oldest first; None when the entry is of another epoch."""
        if entry.epoch != self.epoch:
            return None
        if entry.seq == self.seq + 1 and self._due is None:  # nothing is missing: mostly
            self.seq = entry.seq
            return [entry]
        if entry.seq <= self.seq:
            return []
        if len(self._ahead) < _MAX_AHEAD or entry.seq == self.seq + 1:
            self._ahead = {**self._ahead, entry.seq: entry}
        return self._advance(entry.seq, now)

    @property
    def known(self) -> int:
        """The last entry that is known to exist."""
        return max(self._known, self.seq)

    def learn(self, head: Head, mark: int, now: float) -> Judgement:
        """Takes note of the log's end. `mark` is what was `known` when the head was asked for."""
        if head.epoch != self.epoch or head.seq < mark:
            return Judgement.ANEW
        if head.seq <= self.known:
            return Judgement.SAME
        self._advance(head.seq, now)
        return Judgement.BEHIND

    def missing(self, now: float) -> Stretch | None:
        """What is to be fetched by now, or None."""
        if self._due is None or now < self._due:
            return None
        return Stretch(self.seq, min(self._ahead, default=self._known + 1) - 1)

    @property
    def waits(self) -> bool:
        """Whether something is missing."""
        return self._due is not None

    def fill(self, entries: Iterable[Entry], now: float) -> list[Entry]:
        """The entries to show now that these were fetched. What is missing still is due again after `patience`."""
        self._ahead = self._ahead | {e.seq: e for e in entries if e.epoch == self.epoch and e.seq > self.seq}
        self._due = None
        return self._advance(self._known, now)

    def skip(self, seq: int, now: float) -> list[Entry]:
        """Gives up what is missing before `seq`, which is gone from the log; the entries to show now."""
        self.seq = max(self.seq, seq - 1)
        self._ahead = {s: e for s, e in self._ahead.items() if s > self.seq}
        self._due = None
        return self._advance(self._known, now)

    def restart(self, head: Head) -> None:
        """Goes on at the end of a log that has begun anew."""
        self.epoch, self.seq = head
        self._ahead, self._known, self._due = _NOTHING, 0, None

    def _advance(self, known: int, now: float) -> list[Entry]:
        self._known = max(self._known, known)
        shown = []
        while (entry := self._ahead.pop(self.seq + 1, None)) is not None:
            self.seq += 1
            shown.append(entry)
        if self.seq >= self._known:
            self._due = None
        elif self._due is None or shown:
            self._due = now + self.patience
        return shown
