"""What people want to be sent: written as a new version, with what it mutes; their sockets learn of it."""

from __future__ import annotations

from collections.abc import Callable

from libs.auth.tokens import Identity
from libs.catalogue.catalogue import Catalogue
from libs.schemas.preferences import Preferences
from libs.schemas.records import MembershipChange
from services.gateway.domain.inbox import reader
from services.gateway.domain.muting import muted_types
from services.gateway.handlers.telling import Telling
from services.gateway.store_ports import PreferenceStore, PreferencesVersion


class PreferencesDesk:
    """The preferences of whoever calls. Everything raises Retryable when the database is away."""

    def __init__(self, store: PreferenceStore, catalogue_of: Callable[[str], Catalogue], telling: Telling) -> None:
        self._store, self._catalogue_of, self._telling = store, catalogue_of, telling

    async def current(self, tenant: str, user: str) -> PreferencesVersion:
        """The version in force."""
        return await self._store.current(tenant, user)

    async def replace(self, identity: Identity, document: Preferences, expected: int) -> PreferencesVersion | None:
        """Puts a new version in force; None when the one in force is not the `expected`."""
        muted = muted_types(document, self._catalogue_of(identity.tenant).types)
        replaced = await self._store.replace(reader(identity), document, muted, expected)
        if replaced is None:
            return None
        made, memberships = replaced
        if memberships is not None:
            change = MembershipChange(tenant=identity.tenant, user_id=identity.reader, version=memberships)
            await self._telling.membership(change)
        return made
