"""May this person be sent this on that channel, and when? The first line that applies decides:

|  1 | nobody delivers on the channel                                       | suppressed, channel-unavailable     |
|  2 | the type is never sent on the channel                                | suppressed, channel-not-allowed     |
|  3 | the catalogue says never, and the event does not name the channel    | suppressed, type-never              |
|  4 | its time is over                                                     | suppressed, expired                 |
|  5 | the directory does not know the person                               | suppressed, unknown-person          |
|  6 | their document of preferences cannot be read †                       | suppressed, preferences-unreadable  |
|  7 | they unsubscribed from the type, its category or the whole channel † | suppressed, unsubscribed            |
|  8 | they muted the type †                                                | suppressed, type-muted              |
|  9 | they turned the type off on the channel †                            | suppressed, type-off                |
| 10 | or its category, and not the type on †                               | suppressed, category-off            |
| 11 | or the channel, and neither on †                                     | suppressed, channel-off             |
| 12 | it is off by default, and they did not turn it on †                  | suppressed, default-off             |
| 13 | they have no address for the channel                                 | suppressed, no-address              |
| 14 | the address bounced, or its person wants nothing sent there          | suppressed, address-suppressed      |
| 15 | it is quiet, and the type or the person drops it then † ‡            | suppressed, quiet-hours-drop        |
| 16 | they want the channel or type by the hour, day or week † ‡           | digested, digest-hourly and so on   |
| 17 | the type collects, and they do not want it at once † ‡               | digested, digest-type               |
| 18 | it is quiet ‡                                                        | deferred, quiet-hours or snoozed    |
| 19 | it is only for who is on no socket †                                 | deferred, when-offline              |
| 20 | otherwise, as the event names the channel or the type has it         | planned, channel-named/type-default |

† not for a type that is mandatory. ‡ not for severity critical. What 18 to 20 let through, the type's throttle may
still refuse (suppressed, throttled). A preference only ever withholds or delays: it adds no channel that neither the
event nor the type has. The in-app entry is always written; the gateway hides what a person has muted (S12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.catalogue.types import NotificationType
from libs.rules.clocks import digest_end
from libs.rules.decisions import (
    Because,
    Decision,
    Deferred,
    Digested,
    Gathered,
    Later,
    Planned,
    Suppressed,
    Throttle,
    Withheld,
)
from libs.rules.person import Chosen, Person, Scope
from libs.schemas.preferences import Choice, Frequency, QuietPolicy, enabled

#: A digest that a person asked for lists at most so many.
MAX_ITEMS = 100
_OFF = {Scope.TYPE: Withheld.TYPE_OFF, Scope.CATEGORY: Withheld.CATEGORY_OFF, Scope.CHANNEL: Withheld.CHANNEL_OFF}


@dataclass(frozen=True, slots=True)
class Offer:
    """A notification as it would be sent on one channel, to anybody.

    `named`: the event itself names the channel. `deliverable`: somebody delivers on it. `digest_key` is what the type
    collects by. `offline_grace` is how long a person may take to come back to their socket.
    """

    kind: NotificationType
    channel: str
    now: datetime
    named: bool = False
    deliverable: bool = True
    severity: str = "normal"
    expires_at: datetime | None = None
    digest_key: str = ""
    offline_grace: timedelta = timedelta(seconds=30)


def refusal(offer: Offer) -> Withheld | None:
    """Why nobody at all is sent this on the channel (lines 1 to 4), or None."""
    if not offer.deliverable:
        return Withheld.CHANNEL_UNAVAILABLE
    if not offer.kind.allows(offer.channel):
        return Withheld.CHANNEL_NOT_ALLOWED
    if offer.channel == "email" and offer.kind.email == "never" and not offer.named:
        return Withheld.TYPE_NEVER
    if offer.expires_at is not None and offer.expires_at <= offer.now:
        return Withheld.EXPIRED
    return None


def decide(person: Person | None, offer: Offer) -> Decision:
    """The decision for one person and channel."""
    refused = refusal(offer)
    if refused is not None:
        return Suppressed(refused)
    if person is None:
        return Suppressed(Withheld.UNKNOWN_PERSON)
    for rule in _RULES:
        decision = rule(person, offer)
        if decision is not None:
            return decision
    return Planned(Because.CHANNEL_NAMED if offer.named else Because.TYPE_DEFAULT, _throttle(offer))


def _unwanted(person: Person, offer: Offer) -> Decision | None:
    """Lines 6 to 12."""
    kind, channel = offer.kind, offer.channel
    if person.must_have(kind, channel):
        return None
    if person.preferences is None:
        return Suppressed(Withheld.PREFERENCES_UNREADABLE)
    if person.has_unsubscribed(kind, channel):
        return Suppressed(Withheld.UNSUBSCRIBED)
    if kind.key in person.preferences.muted_types:
        return Suppressed(Withheld.TYPE_MUTED)
    switch = person.chosen(kind, channel, enabled)
    if switch is None:
        defaults: Mapping[str, bool] = kind.preferences.channels  # type: ignore[assignment]
        return None if defaults.get(channel, True) else Suppressed(Withheld.DEFAULT_OFF)
    if switch.value:
        return None
    return Suppressed(_OFF[switch.scope] if switch.own else Withheld.DEFAULT_OFF)


def _unreachable(person: Person, offer: Offer) -> Decision | None:
    """Lines 13 and 14."""
    if not person.addresses.get(offer.channel):
        return Suppressed(Withheld.NO_ADDRESS)
    return Suppressed(Withheld.ADDRESS_SUPPRESSED) if offer.channel in person.suppressed else None


def _dropped(person: Person, offer: Offer) -> Decision | None:
    """Line 15."""
    if _quiet_policy(person, offer) != "drop" or person.undisturbed_until(offer.now) is None:
        return None
    return Suppressed(Withheld.QUIET_HOURS)


def _gathered(person: Person, offer: Offer) -> Decision | None:
    """Lines 16 and 17."""
    kind, channel = offer.kind, offer.channel
    if offer.severity == "critical" or person.must_have(kind, channel):
        return None
    wanted = person.chosen(kind, channel, _frequency)
    frequency = kind.preferences.frequency if wanted is None else wanted.value
    if frequency != "immediate":
        closes_at = digest_end(frequency, offer.now, person.digest_time, person.clock)
        return Digested(Gathered(f"digest-{frequency}"), frequency, closes_at, MAX_ITEMS)
    collects = kind.digest
    if wanted is not None or collects is None or channel not in collects.channels:
        return None
    closes_at = offer.now + timedelta(seconds=collects.window_seconds)
    return Digested(Gathered.BY_TYPE, f"{kind.key} {offer.digest_key}".strip(), closes_at, collects.max_items)


def _delayed(person: Person, offer: Offer) -> Decision | None:
    """Lines 18 and 19."""
    only_offline = _policy(person, offer) == "when_offline"
    quiet = person.undisturbed_until(offer.now) if _quiet_policy(person, offer) == "defer" else None
    if quiet is not None:
        until, snoozed = quiet
        return Deferred(Later.SNOOZED if snoozed else Later.QUIET_HOURS, until, only_offline, _throttle(offer))
    if only_offline:
        return Deferred(Later.WHEN_OFFLINE, offer.now + offer.offline_grace, True, _throttle(offer))
    return None


_RULES: tuple[Callable[[Person, Offer], Decision | None], ...] = (
    _unwanted,
    _unreachable,
    _dropped,
    _gathered,
    _delayed,
)


def disturbs(person: Person, kind: NotificationType, severity: str, now: datetime) -> bool:
    """Whether an in-app notification may make a sound for the person (S13)."""
    offer = Offer(kind, "in-app", now, severity=severity)
    return _quiet_policy(person, offer) == "ignore" or person.undisturbed_until(now) is None


def _quiet_policy(person: Person, offer: Offer) -> QuietPolicy:
    if offer.severity == "critical":
        return "ignore"
    if person.hours is None and person.wants.snoozed_until is None:
        return "ignore"
    policies: Mapping[str, QuietPolicy] = offer.kind.quiet_hours  # type: ignore[assignment]
    wanted: Chosen[QuietPolicy] | None = person.chosen(offer.kind, offer.channel, _quiet)
    policy = policies.get(offer.channel, "defer") if wanted is None else wanted.value
    return "defer" if policy == "drop" and person.must_have(offer.kind, offer.channel) else policy


def _policy(person: Person, offer: Offer) -> str:
    if person.must_have(offer.kind, offer.channel):
        return "always"
    wanted = person.chosen(offer.kind, offer.channel, _channel_policy)
    if wanted is not None:
        return wanted.value
    return offer.kind.email if offer.channel == "email" and not offer.named else "always"


def _throttle(offer: Offer) -> Throttle | None:
    found = offer.kind.throttle
    if found is None or (found.channels is not None and offer.channel not in found.channels):
        return None
    return Throttle(found.limit, found.per_seconds)


def _frequency(choice: bool | Choice | None) -> Frequency | None:
    return choice.frequency if isinstance(choice, Choice) else None


def _quiet(choice: bool | Choice | None) -> QuietPolicy | None:
    return choice.quiet_hours if isinstance(choice, Choice) else None


def _channel_policy(choice: bool | Choice | None) -> str | None:
    return choice.policy if isinstance(choice, Choice) else None
