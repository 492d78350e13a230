"""All notification types, and the type of an event (S4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from libs.catalogue.reading import BadCatalogue, Entry, Fault, read_types
from libs.catalogue.types import NotificationType
from libs.schemas.events import EVENT_NAMES, EventName

SHIPPED = Path(__file__).parent / "shipped"
_REMEMBERED = 10_000  # names come from outside: the memory of them is bounded


@dataclass(slots=True)
class Catalogue:
    """All types. `version` says which: it is written on every notification that was planned by them.

    Raises BadCatalogue where two types claim one name, or an event could be left without a type.
    """

    version: str
    types: tuple[NotificationType, ...]
    _by_name: dict[str, NotificationType] = field(init=False)
    _tried: dict[str, tuple[NotificationType, ...]] = field(init=False)
    _found: dict[tuple[str, str | None], NotificationType] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name = _names(self.types)
        self._tried = {event: tuple(_ordered(self.types, event)) for event in EVENT_NAMES}
        for event, tried in self._tried.items():
            if not tried or tried[-1].match.name is not None:
                raise BadCatalogue([Fault(f"no type matches every {event}: one without a name in `match` is needed")])

    def get(self, key_or_alias: str) -> NotificationType | None:
        """The type with this key or alias."""
        return self._by_name.get(key_or_alias)

    def registers(self, name: str) -> bool:
        """Whether a service event may bear this name although it has fewer than three parts."""
        return name in self._by_name

    def find(self, event: EventName, name: str | None) -> NotificationType:
        """The type of an event: every event has one.

        A service event may bear the key or an alias of any type. Else the first match decides: exact names before
        patterns, those before the type of all.
        """
        found = self._found.get((event, name))
        if found is None:
            found = self._search(event, name)
            if len(self._found) < _REMEMBERED:
                self._found[event, name] = found
        return found

    def _search(self, event: EventName, name: str | None) -> NotificationType:
        if event == "service.event" and name is not None and name in self._by_name:
            return self._by_name[name]
        return next(entry for entry in self._tried[event] if _fits(entry.match.name, name))


def _names(types: Iterable[NotificationType]) -> dict[str, NotificationType]:
    named: dict[str, NotificationType] = {}
    for entry in types:
        for name in (entry.key, *entry.aliases):
            other = named.setdefault(name, entry)
            if other.key != entry.key:
                raise BadCatalogue([Fault(f"{name} is a name of two types: {other.key} and {entry.key}", entry.key)])
            if other is not entry:
                raise BadCatalogue([Fault(f"two types have the same key {entry.key}", entry.key)])
    return named


def _ordered(types: Iterable[NotificationType], event: str) -> list[NotificationType]:
    """The types of an event as they are tried: the less a pattern leaves open, the sooner."""

    def openness(entry: NotificationType) -> tuple[bool, int, str]:
        pattern = entry.match.name
        return pattern is None, (pattern or "").split(".").count("*"), entry.key

    return sorted((entry for entry in types if entry.match.event == event), key=openness)


def _fits(pattern: str | None, name: str | None) -> bool:
    if pattern is None:
        return True
    parts, wanted = (name or "").split("."), pattern.split(".")
    return len(parts) == len(wanted) and all(w in ("*", p) for w, p in zip(wanted, parts, strict=True))


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parse(text: str) -> Catalogue:
    """Reads a whole catalogue. Raises BadCatalogue with the lines at fault."""
    entries = read_types(text)
    return assembled(entries, lambda: Catalogue(_fingerprint(text), tuple(entry.type for entry in entries)))


@lru_cache(maxsize=1)
def shipped() -> Catalogue:
    """The catalogue that comes with Carillon: one file a category. Raises BadCatalogue naming file and line."""
    texts = {path.name: path.read_text() for path in sorted(SHIPPED.glob("*.yaml"))}
    entries = [entry for name, text in texts.items() for entry in read_types(text, name)]
    version = _fingerprint("\0".join(texts.values()))
    return assembled(entries, lambda: Catalogue(version, tuple(entry.type for entry in entries)))


def assembled(entries: Sequence[Entry], assemble: Callable[[], Catalogue]) -> Catalogue:
    """The catalogue of entries that were read. Raises BadCatalogue with the lines of the types at fault."""
    try:
        return assemble()
    except BadCatalogue as bad:
        places = {entry.type.key: entry for entry in entries}
        raise BadCatalogue([_placed(fault, places.get(fault.key or "")) for fault in bad.faults]) from None


def _placed(fault: Fault, entry: Entry | None) -> Fault:
    return fault if entry is None else fault._replace(line=entry.line, file=entry.file)
