"""What people want to be sent, and what their tenant decides for them: written as a new version, with what it says of
types; sockets learn of it."""

from __future__ import annotations

from collections.abc import Callable

from libs.auth.tokens import Identity
from libs.catalogue.catalogue import Catalogue
from libs.schemas.preferences import Preferences, TenantPreferences
from libs.schemas.records import MembershipChange
from services.gateway.domain.inbox import reader
from services.gateway.domain.muting import said, said_by_tenant
from services.gateway.handlers.telling import Telling
from services.gateway.store_ports import PreferenceStore, Version


class PreferencesDesk:
    """The preferences of whoever calls. Everything raises Retryable when the database is away."""

    def __init__(self, store: PreferenceStore, catalogue_of: Callable[[str], Catalogue], telling: Telling) -> None:
        self._store, self._catalogue_of, self._telling = store, catalogue_of, telling

    async def current(self, tenant: str, user: str) -> Version[Preferences]:
        """The version in force."""
        return await self._store.current(tenant, user)

    async def replace(self, identity: Identity, document: Preferences, expected: int) -> Version[Preferences] | None:
        """Puts a new version in force; None when the one in force is not the `expected`."""
        says = said(document, self._catalogue_of(identity.tenant).types)
        replaced = await self._store.replace(reader(identity), document, says, expected)
        if replaced is None:
            return None
        made, memberships = replaced
        if memberships is not None:
            change = MembershipChange(tenant=identity.tenant, user_id=identity.reader, version=memberships)
            await self._telling.membership(change)
        return made


class TenantDesk:
    """What the tenant of whoever calls decides for its people. Likewise."""

    def __init__(self, store: PreferenceStore, catalogue_of: Callable[[str], Catalogue]) -> None:
        self._store, self._catalogue_of = store, catalogue_of

    async def current(self, tenant: str, _user: str) -> Version[TenantPreferences]:
        """The version in force."""
        return await self._store.of_tenant(tenant)

    async def replace(
        self, identity: Identity, document: TenantPreferences, expected: int
    ) -> Version[TenantPreferences] | None:
        """Puts a new version in force; None when the one in force is not the `expected`."""
        says = said_by_tenant(document, self._catalogue_of(identity.tenant).types)
        return await self._store.replace_of_tenant(identity.tenant, document, says, expected)
