"""What a notification type says: its names, its look, its channels, its rules, its audience and its texts.

A type is data: YAML as shipped, JSON over the API, both in camelCase. Texts are templates of libs.catalogue.rendering;
paths are `a.b.c` into the event's `data`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from libs.catalogue.rendering import checked
from libs.schemas.ephemerals import is_reserved
from libs.schemas.events import Channel, EventName, Id, Priority, Severity

#: The namespace that leaves the name to the type. `/` has those of the four events, the others one for all (S5).
NamedBy = Literal["/ws/notifications"]
EmailPolicy = Literal["always", "when_offline", "never"]
QuietHoursPolicy = Literal["defer", "drop", "ignore"]
Frequency = Literal["immediate", "hourly", "daily", "weekly"]

#: Stands for every channel or locale that has no text of its own.
DEFAULT = "default"
_DAY = 86_400

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=100)]
#: A name as producers write it: what a service event may be called.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]+$", max_length=200)]
Pattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:-]+(\.([A-Za-z0-9_:-]+|\*))*$", max_length=200)]
Path = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=200)]
Locale = Annotated[str, StringConstraints(pattern=r"^(default|[a-z]{2,3}(-[A-Za-z0-9]{2,8})*)$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=8_000), AfterValidator(checked)]
Markup = Annotated[str, StringConstraints(min_length=1, max_length=64_000), AfterValidator(checked)]
Seconds = Annotated[int, Field(ge=1, le=366 * _DAY)]
Meters = Annotated[float, Field(gt=0, le=1_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Match(_Part):
    """Which events are of a type. `name` may hold `*` for one part; None matches every name."""

    event: EventName
    name: Pattern | None = None


class Template(_Part):
    """The texts of one locale and channel. `html` is the MJML of an email; `action` is what its button says.

    The texts of a digest see its `items`, each with title, message and actionUrl, and how many they are: `count`.
    """

    title: Text | None = None
    message: Text | None = None
    html: Markup | None = None
    action: Text | None = None
    digest_title: Text | None = None
    digest_message: Text | None = None


class Digest(_Part):
    """Which notifications of a person are sent as one: those of one `key` within a window, at most so many."""

    key: Text | None = None
    window_seconds: Seconds = 3_600
    max_items: Annotated[int, Field(ge=2, le=1_000)] = 50
    channels: tuple[Channel, ...] = ("email",)


class Throttle(_Part):
    """How many a person is sent of the type, on each channel. `channels` None: on every external one."""

    limit: Annotated[int, Field(ge=1, le=100_000)]
    per_seconds: Seconds
    channels: tuple[Channel, ...] | None = None


class Near(_Part):
    """People with a role whose last known place is within a distance of a point of the event (F4-2).

    The distance is the event's (at the path `radius`), else the person's own, else `radius_meters`.
    """

    role: Id
    point: Path = "location"
    radius: Path = "radiusMeters"
    radius_meters: Meters = 10_000
    max_age_seconds: Seconds = _DAY


class AudienceRule(_Part):
    """Whom a type is for where the event names no recipients.

    `by_event` keeps the rule of the event (F0-4) and adds to it; without it the type alone decides. `users` are paths
    to the id of a user, or to a list of them. `exclude_actor` leaves out who caused it.
    """

    by_event: bool = True
    users: tuple[Path, ...] = ()
    departments: tuple[Id, ...] = ()
    roles: tuple[Id, ...] = ()
    topics: tuple[Id, ...] = ()
    tenant: bool = False
    near: Near | None = None
    exclude_actor: bool = False


class PreferenceDefaults(_Part):
    """What holds for people who have not said otherwise: a channel switched off, a frequency."""

    channels: Mapping[Channel, bool] = {}
    frequency: Frequency = "immediate"


class NotificationType(_Part):
    """One type of notification.

    `channels` are used when the event names none; on others than `allowed_channels` (None: all) it is never sent.
    `email` says when a person is sent one that the event does not name (S11). A `mandatory` type cannot be switched
    off. `severity` and `priority` hold where the event gives none. `sensitive` are paths to what is encrypted and
    masked. `wire_names` say how a dialect calls it where the dialect leaves that to the type.
    """

    key: Key
    aliases: tuple[Name, ...] = ()
    match: Match
    category: Key
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    icon: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,50}$")] = "bell"
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")] = "#1890ff"
    severity: Severity | None = None
    priority: Priority | None = None
    channels: tuple[Channel, ...]
    allowed_channels: tuple[Channel, ...] | None = None
    email: EmailPolicy = "always"
    mandatory: bool = False
    quiet_hours: Mapping[Channel, QuietHoursPolicy] = {}
    digest: Digest | None = None
    throttle: Throttle | None = None
    expires_after_seconds: Seconds | None = None
    collapse_key: Text | None = None
    sensitive: tuple[Path, ...] = ()
    audience: AudienceRule = AudienceRule()
    templates: Mapping[Locale, Mapping[Channel | Literal["default"], Template]] = {}
    wire_names: Mapping[NamedBy, Name] = {}
    preferences: PreferenceDefaults = PreferenceDefaults()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        forbidden = [channel for channel in self.channels if not self.allows(channel)]
        if forbidden:
            raise ValueError(f"channels: {forbidden[0]} is not one of allowedChannels")
        reserved = [name for name in self.wire_names.values() if is_reserved(name)]
        if reserved:
            raise ValueError(f"wireNames: {reserved[0]} is a name of the platform's own")
        return self

    def allows(self, channel: str) -> bool:
        """Whether it may be sent on the channel at all."""
        return self.allowed_channels is None or channel in self.allowed_channels
