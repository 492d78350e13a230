"""Which types a person's preferences hide from the inbox, and from which of their sockets (S12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from libs.catalogue.types import NotificationType
from libs.schemas.preferences import Preferences

#: Stands among muted types for "nothing is shown as it comes": that hides nothing from the inbox.
NOT_LIVE = ""


def muted_types(document: Preferences, types: Iterable[NotificationType]) -> frozenset[str]:
    """What a document mutes, given all types of the tenant's catalogue; a mandatory one it cannot."""
    muted = set(document.muted_types)
    for kind in types:
        if kind.mandatory:
            muted.discard(kind.key)
        elif document.hides(kind.key, kind.category):
            muted.add(kind.key)
    return frozenset(muted if document.live else muted | {NOT_LIVE})


@dataclass(frozen=True, slots=True)
class Mute:
    """A type was muted from `since` on and is until `until`; None is open."""

    type: str
    since: datetime
    until: datetime | None = None


def hides(mutes: Iterable[Mute], type_: str, at: datetime) -> bool:
    """Whether sockets are not to be shown a notification of this type that came at this time."""
    return any(m.type in (type_, NOT_LIVE) and m.since <= at and (m.until is None or at < m.until) for m in mutes)
