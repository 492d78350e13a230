"""Decisions: for every person and channel a value with a reason. The reasons are codes of docs/errors.md."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Because(StrEnum):
    """Why a delivery is planned."""

    CHANNEL_NAMED = "channel-named"  # the event names the channel
    TYPE_DEFAULT = "type-default"  # it is one of the type's channels


class Withheld(StrEnum):
    """Why a delivery is not made."""

    CHANNEL_UNAVAILABLE = "channel-unavailable"  # no delivery service for the channel
    TYPE_NEVER = "type-never"  # the catalogue keeps the type off the channel
    TYPE_OFF = "type-off"  # the person turned the type off on the channel
    CHANNEL_OFF = "channel-off"  # the person turned the channel off
    UNKNOWN_PERSON = "unknown-person"  # the directory does not know them
    NO_ADDRESS = "no-address"  # and here not where to send to
    ADDRESS_SUPPRESSED = "address-suppressed"  # it bounced, or its person wants nothing sent there


@dataclass(frozen=True, slots=True)
class Planned:
    """The delivery is to be made."""

    reason: Because
    state = "planned"


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The delivery is not made, and why."""

    reason: Withheld
    state = "suppressed"


Decision = Planned | Suppressed
