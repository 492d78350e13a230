"""The story of one notification: what is recorded, and for one person the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.domain.explanation import Answer

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """`notification`, `entries`, `expansions`, `totals`, `deliveries` and `attempts` are rows as stored.

    `attempts` is by delivery id. `deliveries` are the person's, or the first ones when no person is asked about;
    `answers` and `state` are about the person.
    """

    notification: Row
    entries: tuple[Row, ...]
    expansions: tuple[Row, ...]
    totals: tuple[Row, ...]
    deliveries: tuple[Row, ...]
    attempts: Mapping[Any, list[Row]]
    reader: str | None = None
    answers: tuple[Answer, ...] = ()
    state: str | None = None

    def body(self) -> dict[str, Any]:
        """The story as JSON members; no content."""
        deliveries = [
            dict(row) | {"tried": [dict(a) for a in self.attempts.get(row["id"], [])]} for row in self.deliveries
        ]
        return {
            "notification": dict(self.notification),
            "rooms": [dict(row) for row in self.entries],
            "expansions": [dict(row) for row in self.expansions],
            "totals": [dict(row) for row in self.totals],
            "deliveries": deliveries,
            "reader": self.reader,
            "answers": [
                {"where": a.where, "state": a.state, "reason": a.reason, "detail": a.detail, "derived": a.derived}
                for a in self.answers
            ],
            "state": self.state,
        }


def state_of(row: Row | None, seq: int) -> str:
    """What the person did to it, in words; `seq` is where it stands in the room that shows it."""
    if row is None:
        return "unread"
    if row["deleted_at"] is not None:
        return f"deleted at {row['deleted_at']:%Y-%m-%d %H:%M:%S %Z}"
    if row["read"] is not None:
        return f"read at {row['read_at']:%Y-%m-%d %H:%M:%S %Z}" if row["read"] else "marked unread"
    if (row["read_seq"] or 0) >= seq:
        return "read: everything up to it was marked read"
    return "delivered and unread" if (row["delivered_seq"] or 0) >= seq else "unread"
