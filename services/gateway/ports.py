"""What the gateway needs from the world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from libs.schemas.records import Ephemeral, GatewayRecord, MembershipChange, PresenceChange
from services.gateway.domain.access import Memberships
from services.gateway.domain.inbox import Reader
from services.gateway.domain.logs import Entry, Head, LogKey, LogRecord, Stretch

Person = tuple[str, str]  # (tenant, reader)
Room = tuple[str, str]  # (tenant, room)
Place = tuple[Person, str, int]  # (person, room, seq)
Claim = tuple[Person, str]  # a room that somebody's token claims
Received = LogRecord | MembershipChange | Ephemeral | PresenceChange  # what gateways are told


@dataclass(frozen=True, slots=True)
class Slot:
    """A leased slot: the partition of gateway.inbox that this gateway reads. An older `epoch` is void."""

    number: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Renewal:
    """A lease that was renewed. `registered`: the heartbeat row of our interest is there still."""

    server_started: datetime
    registered: bool


class Slots(Protocol):
    """Leases of slots."""

    async def lease(self, avoid: int | None) -> Slot | None:
        """A free slot, or one whose lease has run out; None when all are taken. Rather not the one to avoid."""
        ...

    async def renew(self, slot: Slot) -> Renewal:
        """Raises LeaseLost when another gateway has taken it."""
        ...

    async def release(self, slot: Slot) -> None:
        """Gives the slot back, with all interest in it."""
        ...


class Interests(Protocol):
    """Which slots listen to which rooms."""

    async def register(self, slot: Slot, rooms: Sequence[Room], *, everything: bool = False) -> None:
        """Committed when it returns. Raises LeaseLost.

        `everything`: these are all rooms that are held. Only then does the heartbeat row come back: were it written
        with every room, nobody would notice that the others are gone.
        """
        ...

    async def withdraw(self, slot: Slot, rooms: Sequence[Room]) -> None: ...

    async def listening(self, rooms: Sequence[Room]) -> Mapping[Room, Sequence[int]]:
        """The slots with interest in each of the rooms; one without any is missing."""
        ...


class Logs(Protocol):
    """The logs in the database. Raises Retryable when it is away."""

    async def begin(self, keys: Iterable[LogKey]) -> dict[LogKey, Head]:
        """The heads, of logs that may never have been written as well."""
        ...

    async def heads(self, keys: Iterable[LogKey]) -> dict[LogKey, Head]: ...

    async def moved(self, known: Mapping[LogKey, Head]) -> dict[LogKey, Head]:
        """The heads of those logs that do not end where it is thought."""
        ...

    async def entries(self, wanted: Mapping[LogKey, Stretch], limit: int) -> dict[LogKey, list[Entry]]:
        """The oldest `limit` entries of each stretch; a log without any may be missing."""
        ...

    async def newest(self, person: Person, wanted: Mapping[str, Stretch], limit: int) -> dict[str, list[Entry]]:
        """By room, the newest entries that the person has not been delivered, read or deleted; oldest first."""
        ...

    async def delivered(self, seqs: Mapping[tuple[Person, str], int]) -> None:
        """Moves the delivered watermarks of (person, room) up to these seqs."""
        ...

    async def acknowledged(self, places: Iterable[Place]) -> None:
        """Single entries have arrived; those that a watermark covers need not be written down."""
        ...

    async def unacknowledged(self, places: Iterable[Place]) -> set[Place]:
        """Those of the places that nothing of their person's has acknowledged, seen, read or put away."""
        ...


class Unread(Protocol):
    """Counts of inboxes. Raises Retryable when the database is away."""

    async def unread_count(self, who: Reader, now: datetime) -> int:
        """How many rows of the inbox are unread."""
        ...


class Directory(Protocol):
    """Tenants and memberships. Raises Retryable when the database is away."""

    async def memberships(self, people: Iterable[Person]) -> dict[Person, Memberships]: ...

    async def versions(self, people: Iterable[Person]) -> dict[Person, int]: ...

    async def said(self, tenants: Iterable[str]) -> dict[str, int]:
        """Which version each tenant's document for its people is of; one without a document is missing."""
        ...

    async def tenants(self, names: Iterable[str]) -> dict[str, bool]:
        """Whether each tenant may be served; one that does not exist is missing."""
        ...

    async def open_claims(self, claims: Sequence[Claim]) -> None:
        """Opens intervals for rooms that tokens claim."""
        ...


class Inbox(Protocol):
    """Our partition of gateway.inbox."""

    async def attach(self, slot: int) -> int:
        """Reads the partition from its end on; returns that offset. Raises Retryable when the broker is away."""
        ...

    async def read(self) -> Sequence[Received]:
        """What has come, perhaps nothing. Raises FeedBreak when the position is gone, Retryable when the broker is."""
        ...

    def lag(self) -> int:
        """Records that have not been read yet, as far as is known."""
        ...


class Records(Protocol):
    """Tells gateways what has happened."""

    def publish(self, record: GatewayRecord, slots: Sequence[int]) -> None:
        """Hands over; what cannot be sent is found by comparing heads and versions, or was of the moment."""
        ...


class Sockets(Protocol):
    """The transport of sockets. What is emitted is queued in order for each socket; only `breathe` and `drain` wait."""

    def emit(self, namespace: str, sids: Sequence[str], event: str, payload: Mapping[str, Any]) -> None:
        """The same event to sockets of one namespace; a socket that is gone is passed over."""
        ...

    def emit_personal(
        self, namespace: str, readers: Mapping[str, str], event: str, payload: Mapping[str, Any], field: str
    ) -> None:
        """The same event to each sid of `readers`, but for `field`, which holds its reader: written only once."""
        ...

    async def breathe(self) -> None:
        """Waits while much more was emitted than has been written: to be called between many emissions."""
        ...

    def refuse(self, namespace: str, sid: str, reason: str | None = None) -> None:
        """Ends the session after what is queued; a stock client does not come back by itself.

        With a reason it hears that its connection failed, although it had been let in.
        """
        ...

    def drop(self, namespace: str, sid: str) -> None:
        """Closes the transport after what is queued; a stock client connects again by itself."""
        ...

    def ping(self, namespace: str, sid: str) -> None:
        """Asks for a sign of life now, which confirms what was written before."""
        ...

    async def drain(self, seconds: float) -> None:
        """Takes no new socket and closes those there are, in a random order spread over a window of this length."""
        ...

    async def sweep(self) -> None:
        """Closes sockets that stopped answering."""
        ...
