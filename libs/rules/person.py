"""A person as the router knows them: addresses, what they and their tenant want, and their clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from libs.catalogue.types import NotificationType
from libs.rules.quiet_hours import quiet_until
from libs.schemas.preferences import (
    EVERYTHING,
    Choice,
    DigestTime,
    Preferences,
    QuietHours,
    TenantPreferences,
    zone,
)

T = TypeVar("T")

_UTC = zone("UTC")
_NOTHING = Preferences()
_NO_TENANT = TenantPreferences()


class Scope(Enum):
    """At which scope something was chosen."""

    TYPE = auto()
    CATEGORY = auto()
    CHANNEL = auto()


@dataclass(frozen=True, slots=True)
class Chosen(Generic[T]):
    """What was chosen, where, and whether by the person themselves."""

    value: T
    scope: Scope
    own: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Addresses by channel, which of them are suppressed, and the preferences in force.

    `preferences` None: the document cannot be read. `time_zone` is the directory's, whatever somebody wrote there.
    """

    addresses: Mapping[str, str]
    preferences: Preferences | None = _NOTHING
    suppressed: frozenset[str] = frozenset()
    tenant: TenantPreferences = _NO_TENANT
    time_zone: str | None = None

    @property
    def wants(self) -> Preferences:
        """Their document; an empty one where it cannot be read."""
        return self.preferences or _NOTHING

    @property
    def hours(self) -> QuietHours | None:
        """Their quiet hours, else those that the tenant gives everybody."""
        return self.wants.quiet_hours or self.tenant.defaults.quiet_hours

    @property
    def digest_time(self) -> DigestTime:
        """When they are sent daily and weekly digests."""
        return self.wants.digest or self.tenant.defaults.digest or DigestTime()

    @property
    def clock(self) -> ZoneInfo:
        """Their own time zone, else that of their quiet hours, else the tenant's, else UTC."""
        of_hours = self.hours.time_zone if self.hours else None
        for name in (self.time_zone, of_hours, self.tenant.time_zone):
            if name and (found := _zone_if_known(name)) is not None:
                return found
        return _UTC

    def must_have(self, kind: NotificationType, channel: str) -> bool:
        """Whether nothing that they wish withholds it."""
        return kind.mandatory or channel in self.tenant.mandatory.get(kind.key, ())

    def has_unsubscribed(self, kind: NotificationType, channel: str) -> bool:
        """Whether they ended the type, its category or everything on the channel."""
        ended: Mapping[str, tuple[str, ...]] = self.wants.unsubscribed  # type: ignore[assignment]
        return bool({EVERYTHING, kind.key, kind.category}.intersection(ended.get(channel, ())))

    def chosen(
        self, kind: NotificationType, channel: str, aspect: Callable[[bool | Choice | None], T | None]
    ) -> Chosen[T] | None:
        """The first choice that says something of an aspect: theirs before the tenant's, the narrowest scope first."""
        for own, document in ((True, self.wants), (False, self.tenant.defaults)):
            for scope, choices in _scopes(document, kind):
                value = aspect(choices.get(channel))
                if value is not None:
                    return Chosen(value, scope, own)
        return None

    def undisturbed_until(self, now: datetime) -> tuple[datetime, bool] | None:
        """When they may be disturbed again, and whether they snoozed everything; None when now."""
        snoozed = self.wants.snoozed_until
        snoozes = snoozed is not None and snoozed > now
        at = snoozed if snoozes and snoozed is not None else now
        quiet = quiet_until(self.hours, self._quiet_clock, at) if self.hours else None
        return (quiet or at, snoozes) if quiet or snoozes else None

    @property
    def _quiet_clock(self) -> ZoneInfo:
        of_hours = self.hours.time_zone if self.hours else None
        return zone(of_hours) if of_hours else self.clock


def _scopes(document: Preferences, kind: NotificationType) -> Iterator[tuple[Scope, Mapping[str, bool | Choice]]]:
    if document.types:
        yield Scope.TYPE, document.types.get(kind.key, {})  # type: ignore[misc]
    if document.categories:
        yield Scope.CATEGORY, document.categories.get(kind.category, {})  # type: ignore[misc]
    if document.channels:
        yield Scope.CHANNEL, document.channels  # type: ignore[misc]


def _zone_if_known(name: str) -> ZoneInfo | None:
    try:
        return zone(name)
    except ValueError:
        return None


@lru_cache(maxsize=4_096)
def preferences(text: str | None) -> Preferences | None:
    """The document of a person, None when it cannot be read. What a newer version wrote into it is left out."""
    if text is None:
        return _NOTHING
    try:
        return Preferences.model_validate_json(text, extra="ignore")
    except ValidationError:
        return None


@lru_cache(maxsize=1_024)
def tenant_preferences(text: str | None) -> TenantPreferences:
    """The document of a tenant; one that cannot be read decides nothing."""
    if text is None:
        return _NO_TENANT
    try:
        return TenantPreferences.model_validate_json(text, extra="ignore")
    except ValidationError:
        return _NO_TENANT


class Columns(Protocol):
    """A row of a database."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""


def person_of(row: Columns) -> Person:
    """A person as the tables have them, from the columns `email`, `phone`, `devices` (whether any), `suppressed`,
    `timezone`, `document`, and `of_tenant`."""
    addresses = {"email": row["email"], "sms": row["phone"], "push": "devices" if row["devices"] else None}
    return Person(
        {channel: address for channel, address in addresses.items() if address},
        preferences(row["document"]),
        suppressed=frozenset(row["suppressed"]),
        tenant=tenant_preferences(row["of_tenant"]),
        time_zone=row["timezone"],
    )
