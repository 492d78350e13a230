"""What a dialect is: how everything is named and shaped in one namespace, and which client events mean what (S1)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any, ClassVar, NamedTuple

from libs.auth.tokens import Identity
from libs.runtime.clock import iso
from libs.schemas.records import StateChange, Withdrawal
from services.gateway.domain.commands import COMMON, Fault, Reading
from services.gateway.domain.logs import STATE, Entry, Head
from services.gateway.domain.notification import Notification
from services.gateway.domain.resume import on_the_wire

UNAUTHORIZED = "UNAUTHORIZED"
SERVER_ERROR = "SERVER_ERROR"

#: What is told a socket that cannot be served now.
UNAVAILABLE = "The service is not available now, please try again"


class Emission(NamedTuple):
    """An event and its payload, the same for everybody; `personal` is a field that holds each reader's own id (S6)."""

    event: str
    payload: Mapping[str, Any]
    personal: str | None = None


class Repeated(dict[str, Any]):
    """A payload that is told several times, always in its dialect's namespace: `encoded` is for the event's bytes."""

    __slots__ = ("encoded",)
    encoded: bytes | None

    def __init__(self, payload: Mapping[str, Any]) -> None:
        super().__init__(payload)
        self.encoded = None


class Dialect(ABC):
    """One namespace. Everything is pure: the same bytes for everybody who is told.

    The methods that are not abstract are what the documents leave open, named in the style of the event-flows
    document; a dialect with a style of its own names them anew.
    """

    namespace: ClassVar[str]
    #: A client that is refused is told CONNECT_ERROR with this text; with None it is disconnected (S9).
    refused: ClassVar[str | None] = None
    #: A client that cannot be served now is told CONNECT_ERROR with this text instead of being let in; with None it
    #: is let in, told `unavailable`, and its connection closed.
    unserved: ClassVar[str | None] = None
    #: Whether a client that is refused is told so before it ends.
    explains: ClassVar[bool] = True
    #: Whether it has an event for several notifications at once.
    batches: ClassVar[bool] = False
    #: Client events by name.
    commands: Mapping[str, Reading] = COMMON

    def entry(self, room: str, entry: Entry) -> Emission | None:
        """A log entry; None for one that shows nothing."""
        record = entry.record
        if isinstance(record, Notification):
            shown = self.notification(room, entry, record)
            return _with(shown, {"silent": True}) if room in record.silent else shown
        position = {"position": {"room": room, "epoch": entry.epoch, "seq": entry.seq}}
        if isinstance(record, Withdrawal):
            return _with(self.withdrawal(record), position)
        if record is None:
            return None
        return _with(self.state(record), {"position": {STATE: [entry.epoch, entry.seq]}})

    @abstractmethod
    def notification(self, room: str, entry: Entry, record: Notification) -> Emission:
        """A notification that is new to the client."""

    @abstractmethod
    def withdrawal(self, record: Withdrawal) -> Emission:
        """A notification that is not to be shown any more."""

    @abstractmethod
    def state(self, change: StateChange) -> Emission:
        """What the reader did to their inbox, here or elsewhere."""

    @abstractmethod
    def connected(
        self, identity: Identity, rooms: Sequence[str], position: Mapping[str, Head], now: datetime
    ) -> Emission:
        """The session stands; `position` is where the client's logs go on from here."""

    def error(self, fault: Fault, now: datetime) -> Emission:
        """Something that the client asked for was refused."""
        more: dict[str, Any] = {} if fault.field is None else {"field": fault.field}
        if fault.retry_after is not None:
            more["retryAfter"] = ceil(fault.retry_after)
        return Emission("error", {"code": fault.code, "message": fault.message, "timestamp": iso(now)} | more)

    def unauthorized(self, now: datetime, *, expired: bool) -> Emission:
        """The token is missing, not valid or over: the same whatever is wrong with it (S9)."""
        del expired
        return self.error(Fault(UNAUTHORIZED, "Invalid or expired JWT token"), now)

    def batch(self, entries: Sequence[tuple[str, Entry]], unread: int) -> Emission:
        """Several notifications, by (room, entry), in one event, where the dialect has one."""
        raise NotImplementedError

    def resync(self, reason: str, position: Mapping[str, Head], now: datetime) -> Emission:
        """The client must fetch again what it shows of the rooms in `position`, which is where they go on."""
        return Emission("resync", {"reason": reason, "position": on_the_wire(position), "timestamp": iso(now)})

    def closing(self, reconnect_ms: int, now: datetime) -> Emission:
        """The gateway stops; the client should connect again after `reconnect_ms` milliseconds, each after its own."""
        return Emission("server.closing", {"reconnectInMs": reconnect_ms, "timestamp": iso(now)})

    def expiring(self, at: datetime, now: datetime) -> Emission:
        """The token will be over then: the client should bring a new one by `authenticate`."""
        return Emission("token.expiring", {"expiresAt": iso(at), "timestamp": iso(now)})

    def unavailable(self, now: datetime, retry_ms: int) -> Emission:
        """The gateway cannot serve the client now; it may come back after `retry_ms` milliseconds."""
        return _with(self.error(Fault(SERVER_ERROR, UNAVAILABLE), now), {"retryInMs": retry_ms})

    def heartbeat(self, now: datetime) -> Emission | None:
        """A word now and then; None where the dialect has none."""
        del now
        return None

    def pong(self, now: datetime) -> Emission:
        """The answer to `ping`."""
        return Emission("pong", {"timestamp": iso(now)})

    def joined(self, room: str) -> Emission:
        """The answer to `joinRoom`."""
        return Emission("joinedRoom", {"room": room})

    def left(self, room: str) -> Emission:
        """The answer to `leaveRoom`."""
        return Emission("leftRoom", {"room": room})

    def subscribed(self, types: Sequence[str] | None) -> Emission:
        """The answer to `subscribe` and `unsubscribe`: the catalogue keys that are shown now; None is everything."""
        return Emission("subscribed", {"types": None if types is None else list(types)})

    def acknowledged(self, notification: str) -> Emission:
        """The answer to an acknowledgement."""
        return Emission("acknowledged", {"notificationId": notification})

    def presence_stats(self, stats: Mapping[str, Any]) -> Emission:
        """The answer to `getPresence`."""
        return Emission("presenceStats", stats)

    def came(self, user: str) -> Emission:
        """A person has come online."""
        return Emission("user.online", {"userId": user})

    def went(self, user: str) -> Emission:
        """A person has gone offline."""
        return Emission("user.offline", {"userId": user})

    def presence(self, user: str, status: str, custom_status: str | None) -> Emission:
        """A person changed their status."""
        return Emission("presence.updated", {"userId": user, "status": status, "customStatus": custom_status})


def _with(emission: Emission, more: Mapping[str, Any]) -> Emission:
    return emission._replace(payload={**emission.payload, **more})
