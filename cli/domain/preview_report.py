"""What a preview found: how often something would differ, per type and channel, with a few examples of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cli.domain.previewing import Difference

Kind = tuple[str, str, str, str]  # type, channel, before, after


@dataclass(slots=True)
class Report:
    """Bounded by the number of kinds of differences, not by that of notifications.

    `looked` at so many notifications; `affected` of them differ; of `unknown` it cannot be told: their type is gone,
    or they look for people near a point in another way.
    """

    examples: int
    looked: int = 0
    affected: int = 0
    unknown: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    _examples: dict[Kind, list[tuple[UUID, str]]] = field(default_factory=dict)

    def add(self, of_type: str, notification: UUID, found: Iterable[Difference]) -> bool:
        """Counts the differences of one notification; returns whether there are any."""
        differs = False
        for one in found:
            differs = True
            kind = of_type, one.channel, one.before, one.after
            self.counts[kind] += 1
            shown = self._examples.setdefault(kind, [])
            if len(shown) < self.examples:
                shown.append((notification, one.to))
        return differs

    def examples_of(self, kind: Kind) -> list[str]:
        """Of which notification, to whom."""
        return [f"{notification} to {to}" for notification, to in self._examples[kind]]

    def body(self) -> dict[str, Any]:
        """The report as JSON members."""
        rows = [
            dict(zip(("type", "channel", "before", "after"), kind, strict=True))
            | {"count": count, "examples": self.examples_of(kind)}
            for kind, count in sorted(self.counts.items())
        ]
        return {"looked": self.looked, "affected": self.affected, "unknown": self.unknown, "differences": rows}
