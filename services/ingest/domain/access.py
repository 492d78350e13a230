"""Who calls and what they may: a service by its key, an administrator by their token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from libs.auth.api_keys import SCOPES
from libs.auth.tokens import Identity
from services.ingest.domain.tenants import EVERY

Scope = Literal[
    "events:write",
    "directory:write",
    "directory:read",
    "catalogue:write",
    "catalogue:read",
    "keys:write",
    "status:read",
    "callbacks:write",
    "ephemerals:write",
    "content:erase",
]

#: A key with a writing scope reads what it writes.
_IMPLIED: dict[str, frozenset[str]] = {
    "events:write": frozenset({"status:read", "ephemerals:write"}),
    "directory:write": frozenset({"directory:read"}),
    "catalogue:write": frozenset({"catalogue:read"}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. `actor` is how the audit trail names them; `tenants` holds `*` for a platform key."""

    actor: str
    tenant: str
    scopes: frozenset[str]
    tenants: frozenset[str]

    @property
    def is_platform(self) -> bool:
        """Whether the caller may act for every tenant, and on tenants themselves."""
        return EVERY in self.tenants

    def may(self, scope: Scope) -> bool:
        """Whether the caller was given the scope."""
        return scope in self.scopes

    def may_name(self, tenant: str) -> bool:
        """Whether the caller may act for the tenant."""
        return self.is_platform or tenant in self.tenants


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a caller is turned away. `status` is 401 (who are you?) or 403 (not you)."""

    status: Literal[401, 403]
    reason: str
    detail: str


def key_principal(key_id: str, tenant: str, scopes: frozenset[str], further: frozenset[str]) -> Principal:
    """The holder of an API key."""
    implied = frozenset[str]().union(*(_IMPLIED.get(scope, frozenset()) for scope in scopes))
    return Principal(f"key:{key_id}", tenant, scopes | implied, further | {tenant})


def token_principal(
    identity: Identity, admin_roles: frozenset[str], platform_roles: frozenset[str]
) -> Principal | Denied:
    """The person or agent of a token: only an administrator, and only in the tenant of the token."""
    roles = frozenset(identity.roles)
    if not roles & (admin_roles | platform_roles):
        return Denied(403, "not-an-administrator", "the token has none of the roles that may publish and administer")
    tenants = frozenset({EVERY}) if roles & platform_roles else frozenset({identity.tenant})
    return Principal(f"user:{identity.reader}", identity.tenant, SCOPES, tenants | {identity.tenant})
