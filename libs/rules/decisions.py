"""Decisions: for every person and channel a value with a reason. The reasons are codes of docs/errors.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Because(StrEnum):
    """Why a delivery is planned."""

    CHANNEL_NAMED = "channel-named"  # the event names the channel
    TYPE_DEFAULT = "type-default"  # it is one of the type's channels


class Later(StrEnum):
    """Why a delivery waits."""

    QUIET_HOURS = "quiet-hours"  # until they end
    SNOOZED = "snoozed"  # until the time that the person set
    WHEN_OFFLINE = "when-offline"  # for a moment: it is sent only to who is on no socket then


class Gathered(StrEnum):
    """Why a notification is sent with others, as one digest."""

    HOURLY = "digest-hourly"  # the person wants it so
    DAILY = "digest-daily"
    WEEKLY = "digest-weekly"
    BY_TYPE = "digest-type"  # its type collects


class Withheld(StrEnum):
    """Why a delivery is not made."""

    CHANNEL_UNAVAILABLE = "channel-unavailable"  # no delivery service for the channel
    CHANNEL_NOT_ALLOWED = "channel-not-allowed"  # the type is never sent on it
    TYPE_NEVER = "type-never"  # the catalogue keeps the type off the channel
    EXPIRED = "expired"  # its time is over
    UNKNOWN_PERSON = "unknown-person"  # the directory does not know them
    PREFERENCES_UNREADABLE = "preferences-unreadable"  # nobody knows what they want
    UNSUBSCRIBED = "unsubscribed"  # they ended it on the channel
    TYPE_MUTED = "type-muted"  # they muted the type everywhere
    TYPE_OFF = "type-off"  # they turned the type off on the channel
    CATEGORY_OFF = "category-off"  # or its category
    CHANNEL_OFF = "channel-off"  # or the channel
    DEFAULT_OFF = "default-off"  # it is off for whoever does not turn it on
    NO_ADDRESS = "no-address"  # and here not where to send to
    ADDRESS_SUPPRESSED = "address-suppressed"  # it bounced, or its person wants nothing sent there
    QUIET_HOURS = "quiet-hours-drop"  # it came when they were not to be disturbed, and is not worth waiting
    THROTTLED = "throttled"  # they have had as many of the type as it allows


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most `limit` in any `seconds`, of one type to one person on one channel."""

    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Planned:
    """The delivery is to be made, unless the throttle refuses it."""

    reason: Because
    throttle: Throttle | None = None
    state = "planned"


@dataclass(frozen=True, slots=True)
class Deferred:
    """The delivery is to be made later. `only_offline`: it is asked again then whether the person is on a socket."""

    reason: Later
    until: datetime
    only_offline: bool = False
    throttle: Throttle | None = None
    state = "deferred"


@dataclass(frozen=True, slots=True)
class Digested:
    """It is sent with others of the same key, at `closes_at` or when there are `max_items`."""

    reason: Gathered
    key: str
    closes_at: datetime
    max_items: int
    state = "digested"


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The delivery is not made, and why."""

    reason: Withheld
    state = "suppressed"


Decision = Planned | Deferred | Digested | Suppressed
