"""Which types preferences hide from the inbox, and from which sockets (S12): a person's own, and their tenant's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from libs.catalogue.types import NotificationType
from libs.schemas.preferences import IN_APP, Preferences, TenantPreferences

#: Stands among types for "nothing is shown as it comes": that hides nothing from the inbox.
NOT_LIVE = ""


def said(document: Preferences, types: Iterable[NotificationType]) -> dict[str, bool]:
    """What a person's document says of types, given all of the tenant's catalogue: hidden, or wanted whatever the
    tenant hides by default. Of a mandatory one it says nothing."""
    of_types: dict[str, bool | None] = dict.fromkeys(document.muted_types, True)
    for kind in types:
        of_types[kind.key] = None if kind.mandatory else document.hides(kind.key, kind.category)
    of_types[NOT_LIVE] = None if document.live is None else not document.live
    return {type_: hidden for type_, hidden in of_types.items() if hidden is not None}


def said_by_tenant(document: TenantPreferences, types: Iterable[NotificationType]) -> dict[str, bool]:
    """What a tenant's document says of types: hidden from who does not want them, or hidden by nobody."""
    hidden = {type_: True for type_, hides in said(document.defaults, types).items() if hides}
    return hidden | {type_: False for type_, channels in document.mandatory.items() if IN_APP in channels}


@dataclass(frozen=True, slots=True)
class Mute:
    """A type was muted from `since` on and is until `until`; None is open."""

    type: str
    since: datetime
    until: datetime | None = None


def hides(mutes: Iterable[Mute], type_: str, at: datetime) -> bool:
    """Whether sockets are not to be shown a notification of this type that came at this time."""
    return any(m.type in (type_, NOT_LIVE) and m.since <= at and (m.until is None or at < m.until) for m in mutes)
