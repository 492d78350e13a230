"""Logs that a gateway follows: the logs of rooms, and the state log of each reader under a name of its own."""

from __future__ import annotations

from typing import NamedTuple

from libs.schemas.records import NotificationEmission, StateChange, Withdrawal

#: How a client names its state log in a position; no room has that name.
STATE = "state"
_STATE_PREFIX = "state:"


class LogKey(NamedTuple):
    """A log. `name` is a room, or `state:{reader}`."""

    tenant: str
    name: str

    @property
    def reader(self) -> str | None:
        """Whose state log it is, or None for a room."""
        return self.name.removeprefix(_STATE_PREFIX) if self.name.startswith(_STATE_PREFIX) else None


class Head(NamedTuple):
    """The end of a log: `seq` is its last entry, 0 when it is empty. A new `epoch` is a log that began anew."""

    epoch: int
    seq: int


#: What stands in logs.
LogRecord = NotificationEmission | Withdrawal | StateChange


class Entry(NamedTuple):
    """One entry. `record` is None where nothing is to be shown: content that was erased."""

    epoch: int
    seq: int
    record: LogRecord | None


class Stretch(NamedTuple):
    """Entries to be read: `after` < seq ≤ `until`."""

    after: int
    until: int


def state_of(reader: str) -> str:
    """The name of a reader's state log."""
    return _STATE_PREFIX + reader


def wire_name(name: str) -> str:
    """The name of a log in a client's position."""
    return STATE if name.startswith(_STATE_PREFIX) else name


def places(record: LogRecord) -> list[tuple[str, Entry]]:
    """Where a record stands: (log name, entry) for every log that it belongs to."""
    if isinstance(record, StateChange):
        return [(state_of(record.user_id), Entry(record.epoch, record.seq, record))]
    return [(place.room, Entry(place.epoch, place.seq, record)) for place in record.rooms]
