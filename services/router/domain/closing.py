"""What becomes of a digest whose time has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.rules.decisions import Withheld
from libs.rules.person import Person
from libs.rules.quiet_hours import LONGEST
from libs.schemas.preferences import EVERYTHING, enabled

DUE = "digest"  # a code of docs/errors.md


@dataclass(frozen=True, slots=True)
class Closed:
    """It is sent, or not; None where nothing is left in it."""

    state: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Postponed:
    """It goes on collecting until then: its person is not to be disturbed now."""

    until: datetime


def close(person: Person | None, channel: str, items: int, now: datetime) -> Closed | Postponed:
    """Asks again what may have changed since its items were decided. `items` are those that were not cancelled."""
    if items == 0:
        return Closed(None, None)
    withheld = _withheld(person, channel)
    if withheld is not None or person is None:
        return Closed("suppressed", (withheld or Withheld.UNKNOWN_PERSON).value)
    quiet = person.undisturbed_until(now)
    # Whoever is always quiet has waited for long enough.
    if quiet is not None and quiet[0] - now < LONGEST:
        return Postponed(quiet[0])
    return Closed("planned", DUE)


def _withheld(person: Person | None, channel: str) -> Withheld | None:
    if person is None:
        return Withheld.UNKNOWN_PERSON
    if person.preferences is None:
        return Withheld.PREFERENCES_UNREADABLE
    switches = {str(name): choice for name, choice in person.preferences.channels.items()}
    ended = {str(name): types for name, types in person.preferences.unsubscribed.items()}
    if EVERYTHING in ended.get(channel, ()):
        return Withheld.UNSUBSCRIBED
    if enabled(switches.get(channel)) is False:
        return Withheld.CHANNEL_OFF
    if not person.addresses.get(channel):
        return Withheld.NO_ADDRESS
    return Withheld.ADDRESS_SUPPRESSED if channel in person.suppressed else None
