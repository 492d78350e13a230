"""Loads the catalogue and finds the type of an event (S4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from libs.schemas.events import Channel, EventName

SHIPPED = Path(__file__).parent / "types.yaml"


class BadCatalogue(ValueError):
    """The catalogue cannot be used; the message names the entry and the reason."""


class Match(BaseModel):
    """Which events are of a type. `name` may hold `*` for one part; None matches every name."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    event: EventName
    name: str | None = None


class NotificationType(BaseModel):
    """One type of notification: its names, its channels and its texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: str
    aliases: tuple[str, ...] = ()
    match: Match
    category: str
    channels: tuple[Channel, ...]
    affected_user: str | None = None
    title: str | None = None
    message: str | None = None
    fallback_message: str | None = None
    email: Literal["always", "never"] = "always"


@dataclass(slots=True)
class Catalogue:
    """All types, in the order in which they are tried."""

    version: str
    types: tuple[NotificationType, ...]
    _by_key: dict[str, NotificationType] = field(init=False)
    _aliases: dict[str, str] = field(init=False)
    _found: dict[tuple[str, str | None], NotificationType] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_key = {entry.key: entry for entry in self.types}
        self._aliases = {alias: entry.key for entry in self.types for alias in entry.aliases}
        if len(self._by_key) != len(self.types):
            raise BadCatalogue("two types have the same key")

    def get(self, key_or_alias: str) -> NotificationType | None:
        """The type with this key or alias."""
        return self._by_key.get(self._aliases.get(key_or_alias, key_or_alias))

    def registers(self, name: str) -> bool:
        """Whether a service event may bear this name although it has fewer than three parts."""
        return self.get(name) is not None

    def find(self, event: EventName, name: str | None) -> NotificationType:
        """The type of an event. Every event has one: the four last entries match the rest."""
        found = self._found.get((event, name))
        if found is None:
            found = self._search(event, name)
            if len(self._found) < 10_000:  # names come from outside: the memory of them is bounded
                self._found[event, name] = found
        return found

    def _search(self, event: EventName, name: str | None) -> NotificationType:
        registered = self.get(name) if name is not None else None
        if registered is not None and registered.match.event == event:
            return registered
        return next(entry for entry in self.types if entry.match.event == event and _fits(entry.match.name, name))


def _fits(pattern: str | None, name: str | None) -> bool:
    if pattern is None:
        return True
    parts, wanted = (name or "").split("."), pattern.split(".")
    return len(parts) == len(wanted) and all(w in ("*", p) for w, p in zip(wanted, parts, strict=True))


def parse(text: str) -> Catalogue:
    """Reads a catalogue. Raises BadCatalogue naming the entry at fault."""
    document: Any = yaml.safe_load(text)
    types = []
    for number, entry in enumerate(document["types"], 1):
        try:
            types.append(NotificationType.model_validate(entry))
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(str(part) for part in fault["loc"])
            raise BadCatalogue(f"type {number} ({entry.get('key', '?')}): {where}: {fault['msg']}") from None
    return Catalogue(str(document["version"]), tuple(types))


@lru_cache(maxsize=1)
def shipped() -> Catalogue:
    """The catalogue that comes with Carillon."""
    return parse(SHIPPED.read_text())
