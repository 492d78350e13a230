"""What a person wants to be sent, and when: one document per (tenant, user), and a tenant's defaults for its people.

`{"channels": {"email": false}, "types": {"service.alert": {"email": true}}}` is a whole document: what is not there is
not decided. Of what several scopes decide, the type goes before its category, and the category before the channel;
what the person decides goes before the tenant's default at any scope (docs/preferences.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from libs.schemas.events import Channel

IN_APP: Channel = "in-app"
#: In `unsubscribed`: everything on the channel.
EVERYTHING = "*"

Frequency = Literal["immediate", "hourly", "daily", "weekly"]
ChannelPolicy = Literal["always", "when_offline", "never"]
QuietPolicy = Literal["defer", "drop", "ignore"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: A catalogue key or category.
Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f]+$")]
#: A time of day on the person's own clock, `HH:MM`.
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

MAX_TYPES = 1_000


@lru_cache(maxsize=1_024)
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):  # unknown; a folder, or too long; not a name at all
        raise ValueError("no time zone of this name") from None


def _known_zone(name: str) -> str:
    zone(name)
    return name


TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_known_zone)]


class _Document(BaseModel):
    # What a person writes is checked to the letter; who reads a newer version's document says `extra="ignore"`.
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Choice(_Document):
    """What is wanted of one channel at one scope; None leaves it to the next scope.

    `enabled` is the switch. `policy` when_offline sends only to who is on no socket; never is the same as switched
    off. `frequency` other than immediate collects into a digest. `quietHours` is what they do to it here.
    """

    enabled: bool | None = None
    policy: ChannelPolicy | None = None
    frequency: Frequency | None = None
    quiet_hours: QuietPolicy | None = None


#: `true` and `false` are short for `{"enabled": …}`.
Scope = dict[Channel, bool | Choice]


class QuietWindow(_Document):
    """From `start` to `end` on each of the days. A window that does not end later than it starts ends the next day."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = WEEKDAYS
    start: TimeOfDay
    end: TimeOfDay


class QuietHours(_Document):
    """When nobody is to be disturbed. Without `timeZone` it is the directory's for the person, else the tenant's."""

    enabled: bool = True
    time_zone: TimeZone | None = None
    windows: Annotated[tuple[QuietWindow, ...], Field(max_length=28)] = ()


class DigestTime(_Document):
    """When a daily or weekly digest is sent, on the person's own clock."""

    at: TimeOfDay = "09:00"
    weekday: Weekday = "mon"


class Preferences(_Document):
    """A person's document, and the shape of a tenant's defaults.

    `channels.in-app: false` keeps notifications in the inbox without showing them live; of a type or category,
    `in-app: false` hides it from the inbox. A muted type is hidden and sent on no channel. `unsubscribed` names the
    types, or `*`, that are not to be sent on a channel whatever the switches say. Until `snoozedUntil` all is quiet.
    """

    channels: Scope = Field(default_factory=dict)
    categories: Annotated[dict[Key, Scope], Field(max_length=MAX_TYPES)] = Field(default_factory=dict)
    types: Annotated[dict[Key, Scope], Field(max_length=MAX_TYPES)] = Field(default_factory=dict)
    muted_types: Annotated[tuple[Key, ...], Field(max_length=MAX_TYPES)] = ()
    unsubscribed: dict[Channel, Annotated[tuple[Key, ...], Field(max_length=MAX_TYPES)]] = Field(default_factory=dict)
    quiet_hours: QuietHours | None = None
    digest: DigestTime | None = None
    snoozed_until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_app_is_never_sent(self) -> Self:
        for scope in (self.channels, *self.categories.values(), *self.types.values()):
            choice = scope.get(IN_APP)
            if isinstance(choice, Choice) and (choice.policy or choice.frequency):
                raise ValueError("in-app has neither policy nor frequency")
        return self

    def hides(self, key: str, category: str) -> bool | None:
        """Whether the inbox hides a type, unless it is mandatory; None: nothing is said of it."""
        if key in self.muted_types:
            return True
        of_type = enabled(self.types.get(key, {}).get(IN_APP))
        shown = of_type if of_type is not None else enabled(self.categories.get(category, {}).get(IN_APP))
        return None if shown is None else not shown

    @property
    def live(self) -> bool | None:
        """Whether notifications are shown as they come, and not only in the inbox; None: nothing is said of it."""
        return enabled(self.channels.get(IN_APP))


class TenantPreferences(_Document):
    """What a tenant decides for its people.

    `defaults` hold where a person has not decided. `mandatory` are types, and the channels on which nothing of a
    person's document withholds them. `timeZone` is that of people without one.
    """

    defaults: Preferences = Preferences()
    mandatory: Annotated[dict[Key, tuple[Channel, ...]], Field(max_length=MAX_TYPES)] = Field(default_factory=dict)
    time_zone: TimeZone | None = None


def enabled(choice: bool | Choice | None) -> bool | None:
    """What a choice says of the switch; None when nothing."""
    if choice is None or isinstance(choice, bool):
        return choice
    return False if choice.policy == "never" else choice.enabled


# The names of the collaboration document ---------------------------------------------------------------------------

_FLAT_CHANNELS: Mapping[str, Channel] = {
    "enable_web_socket": IN_APP,
    "enable_web_push": "push",
    "enable_email": "email",
}
_UNHINDERED = Choice(quiet_hours="ignore")


class FlatPreferences(_Document):
    """The same in the names and defaults of F3-4: a row of switches, a switch per type, one quiet window.

    A type that is switched off is muted; one that is switched on comes through quiet hours.
    """

    enable_web_socket: bool = True
    enable_web_push: bool = True
    enable_email: bool = True
    preferences: Annotated[dict[Key, bool], Field(max_length=MAX_TYPES)] = Field(default_factory=dict)
    quiet_hours_start: TimeOfDay | None = None
    quiet_hours_end: TimeOfDay | None = None
    quiet_hours_timezone: TimeZone | None = None

    @classmethod
    def of(cls, document: Preferences) -> FlatPreferences:
        """What these names can say of a document; the first quiet window stands for all."""
        hours = document.quiet_hours
        window = hours.windows[0] if hours and hours.enabled and hours.windows else None
        on = {key: True for key, scope in document.types.items() if scope.get(IN_APP) == _UNHINDERED}
        return cls(
            **{name: enabled(document.channels.get(channel)) is not False for name, channel in _FLAT_CHANNELS.items()},
            preferences=on | dict.fromkeys(document.muted_types, False),
            quiet_hours_start=window and window.start,
            quiet_hours_end=window and window.end,
            quiet_hours_timezone=hours.time_zone if hours else None,
        )

    def applied_to(self, document: Preferences, key_of: Callable[[str], str] = str) -> Preferences:
        """The document with what was set here in place of what it said. `key_of` finds the key of a type's alias."""
        given = self.model_fields_set
        changed = {channel: getattr(self, name) for name, channel in _FLAT_CHANNELS.items() if name in given}
        update: dict[str, object] = {"channels": document.channels | changed}
        if "preferences" in given:
            wanted = {key_of(name): on for name, on in self.preferences.items()}
            kept = {key: scope for key, scope in document.types.items() if scope.get(IN_APP) != _UNHINDERED}
            through: Scope = dict.fromkeys(_FLAT_CHANNELS.values(), _UNHINDERED)
            update["types"] = kept | {key: kept.get(key, {}) | through for key, on in wanted.items() if on}
            update["muted_types"] = tuple(key for key, on in wanted.items() if not on)
        if given & {"quiet_hours_start", "quiet_hours_end", "quiet_hours_timezone"}:
            update["quiet_hours"] = self._quiet_hours()
        return document.model_copy(update=update)

    def _quiet_hours(self) -> QuietHours | None:
        if self.quiet_hours_start is None or self.quiet_hours_end is None:
            return None
        window = QuietWindow(start=self.quiet_hours_start, end=self.quiet_hours_end)
        return QuietHours(time_zone=self.quiet_hours_timezone, windows=(window,))
