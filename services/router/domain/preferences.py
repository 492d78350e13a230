"""May this person be sent this on that channel? The first line that applies decides:

1. nobody delivers on the channel                                          → suppressed, channel-unavailable
2. the catalogue says never, and the event does not name the channel (S11) → suppressed, type-never
3. the person turned this type off on the channel                          → suppressed, type-off
4. the person turned the channel off, and not this type on                 → suppressed, channel-off
5. the directory does not know the person                                  → suppressed, unknown-person
6. the person has no address for the channel                               → suppressed, no-address
7. the address bounced, or its person wants nothing sent there (B6)        → suppressed, address-suppressed
8. otherwise                                                               → planned

A preference only ever withholds: it adds no channel that neither the event nor the type has. Severity does not
override it. The in-app entry is always written; the gateway hides what a person has muted (S12).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.catalogue.types import NotificationType
from services.router.domain.decisions import Because, Decision, Planned, Suppressed, Withheld


@dataclass(frozen=True, slots=True)
class Person:
    """What the directory says of a person: addresses by channel, which are suppressed, the preferences in force.

    `preferences` is `{channels: {channel: bool}, types: {key: {channel: bool}}}`; what is not there is not decided.
    """

    addresses: Mapping[str, str]
    preferences: Mapping[str, Any] = field(default_factory=dict)
    suppressed: frozenset[str] = frozenset()


def refusal(kind: NotificationType, channel: str, *, named: bool, deliverable: Collection[str]) -> Withheld | None:
    """Why nobody at all is sent this on the channel (lines 1 and 2), or None."""
    if channel not in deliverable:
        return Withheld.CHANNEL_UNAVAILABLE
    if channel == "email" and kind.email == "never" and not named:
        return Withheld.TYPE_NEVER
    return None


def decide(
    person: Person | None, kind: NotificationType, channel: str, *, named: bool, deliverable: Collection[str]
) -> Decision:
    """The decision for one person and channel. `named`: the event itself names the channel."""
    refused = refusal(kind, channel, named=named, deliverable=deliverable)
    if refused is not None:
        return Suppressed(refused)
    if person is None:
        return Suppressed(Withheld.UNKNOWN_PERSON)
    withheld = _withheld(person.preferences, kind.key, channel)
    if withheld is not None:
        return Suppressed(withheld)
    if not person.addresses.get(channel):
        return Suppressed(Withheld.NO_ADDRESS)
    if channel in person.suppressed:
        return Suppressed(Withheld.ADDRESS_SUPPRESSED)
    return Planned(Because.CHANNEL_NAMED if named else Because.TYPE_DEFAULT)


def _withheld(preferences: Mapping[str, Any], key: str, channel: str) -> Withheld | None:
    of_type = _choice(_table(_table(preferences, "types"), key), channel)
    if of_type is False:
        return Withheld.TYPE_OFF
    if of_type is None and _choice(_table(preferences, "channels"), channel) is False:
        return Withheld.CHANNEL_OFF
    return None


def _table(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _choice(table: Mapping[str, Any], channel: str) -> bool | None:
    found = table.get(channel)
    return found if isinstance(found, bool) else None
