"""Whom a type itself names (libs.catalogue.types.AudienceRule): by paths into the data, by groups, by a distance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libs.catalogue.paths import at_path
from libs.catalogue.types import AudienceRule
from libs.schemas import rooms
from libs.schemas.events import MAX_ID_LENGTH, MAX_RECIPIENTS
from libs.schemas.records import AcceptedEvent
from services.router.domain.nearness import search

_ID = re.compile(rf"^[^\s\x00-\x1f]{{1,{MAX_ID_LENGTH}}}$")


@dataclass(frozen=True, slots=True)
class Found:
    """What the directory answered: user ids. `too_many` were near, so that only the nearest are here."""

    org_admins: Sequence[str] = ()
    nearby: Sequence[str] = ()
    too_many: bool = False


def by_type(event: AcceptedEvent, rule: AudienceRule, found: Found) -> tuple[list[str], tuple[str, ...]]:
    """The rooms that the type itself names, and what could not be resolved."""
    named = [rooms.user(name) for path in rule.users for name in _ids(at_path(event.data, path))]
    named += [rooms.user(name) for name in found.nearby]
    named += [rooms.dept(name) for name in rule.departments]
    named += [rooms.role(name) for name in rule.roles]
    named += [rooms.topic(name) for name in rule.topics]
    named += [rooms.TENANT] * rule.tenant
    if rule.near is None:
        return named, ()
    if search(event, rule.near) is None:
        return named, (f"no-point:{rule.near.point}",)
    return named, ("nearest-only",) if found.too_many else () if found.nearby else ("nobody-near",)


def actor(event: AcceptedEvent) -> frozenset[str]:
    """Who caused it: the actor, or the user in whose name a service acted."""
    name = identifier((event.actor or {}).get("id")) or identifier(event.metadata.get("userId"))
    return frozenset({name} if name else ())


def _ids(value: Any) -> list[str]:
    """The id or the list of ids that a path leads to; of a list the first MAX_RECIPIENTS."""
    listed = value[:MAX_RECIPIENTS] if isinstance(value, list) else (value,)
    return [name for name in map(identifier, listed) if name]


def identifier(value: Any) -> str | None:
    """The id that free data holds there: it may hold anything, and what is no id addresses nobody."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
