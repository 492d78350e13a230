"""From a token's claims to an Identity, by the claim names that the issuer uses (S3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any

from libs.auth.tokens import DEFAULT_TENANT, Identity, InvalidToken

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where each fact stands. A name is a claim, or a path into one (`realm_access.roles`).

    Of `user`, `agent`, `tenant` and `session` the first that is there counts; the others are joined.
    """

    user: Names = ("userId", "sub", "id")
    agent: Names = ("agentId",)
    tenant: Names = ("tenantId",)
    orgs: Names = ("orgIds", "orgId")
    departments: Names = ("departments", "department")
    roles: Names = ("roles", "role")
    session: Names = ("sessionId",)


def identity(claims: Mapping[str, Any], names: ClaimNames) -> Identity:
    """Reads verified claims. Raises InvalidToken when nobody is named."""
    user, agent = _text(claims, names.user), _text(claims, names.agent)
    if user is None and agent is None:
        asked = ", ".join((*names.user, *names.agent))
        raise InvalidToken(f"the token names neither a user nor an agent (in any of {asked})")
    if user is not None and user.startswith("agent:"):
        raise InvalidToken("a user may not be named agent:…, as which agents read")
    return Identity(
        tenant=intern(_text(claims, names.tenant) or DEFAULT_TENANT),
        user_id=user,
        agent_id=agent,
        org_ids=_texts(claims, names.orgs),
        departments=_texts(claims, names.departments),
        roles=_texts(claims, names.roles),
        session_id=_text(claims, names.session),
        expires_at=float(claims["exp"]),
    )


def _text(claims: Mapping[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        if _is_text(value := _at(claims, name)):
            return str(value)
    return None


def _texts(claims: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        value = _at(claims, name)
        if value is not None:
            values = value if isinstance(value, list | tuple) else [value]
            found += [str(v) for v in values if _is_text(v)]
    return tuple(dict.fromkeys(found))


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value) != ""


def _at(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of that name, which may have dots in it (`https://example.com/roles`), else what the path leads to."""
    if name in claims or "." not in name:
        return claims.get(name)
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
