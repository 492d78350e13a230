"""Logs that a gateway follows: the logs of rooms, and the state log of each reader under a name of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from libs.schemas.records import RoomEntry, StateChange, Withdrawal
from services.gateway.domain.notification import Notification, Place

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
LogRecord = Notification | Withdrawal | StateChange


class Entry(Struct, frozen=True, gc=False):
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


def places(record: LogRecord) -> Iterable[Place | RoomEntry]:
    """Where a record stands: `room` is the name of a log."""
    if isinstance(record, Notification | Withdrawal):
        return record.rooms
    return (Place(state_of(record.user_id), record.epoch, record.seq),)
