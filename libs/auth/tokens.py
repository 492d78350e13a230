"""JWTs of people and agents: issued for development, verified at the edges, read into an Identity (S3, S22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32
DEFAULT_TENANT = "default"
#: Roles in a token that make its holder an administrator of the tenant, unless CARILLON_ADMIN_ROLES says otherwise.
#: Not `owner`: that is what organisations call theirs.
ADMIN_ROLES = frozenset({"admin", "ADMIN"})


class InvalidToken(Exception):
    """The token cannot be trusted. `expired` tells whether it once could."""

    def __init__(self, reason: str, *, expired: bool = False) -> None:
        super().__init__(reason)
        self.expired = expired


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token speaks for. Either `user_id` or `agent_id` is set, or both."""

    tenant: str
    user_id: str | None
    agent_id: str | None
    org_ids: tuple[str, ...]
    departments: tuple[str, ...]
    roles: tuple[str, ...]
    session_id: str | None
    expires_at: float

    @property
    def reader(self) -> str:
        """Whose inbox it is: the user's, or the agent's as `agent:{id}` when there is no user."""
        return self.user_id if self.user_id is not None else f"agent:{self.agent_id}"


def strip_bearer(token: str) -> str:
    """The token without spaces around it and without an optional `Bearer `."""
    token = token.strip()
    return token[7:].strip() if token[:7].lower() == "bearer " else token


def verify(token: str, secret: str, *, leeway: float = 5.0) -> Identity:
    """The identity of a token. Raises InvalidToken for a wrong signature, algorithm, shape or time."""
    try:
        claims = jwt.decode(
            strip_bearer(token), secret, algorithms=[ALGORITHM], leeway=leeway, options={"require": ["exp"]}
        )
    except jwt.ExpiredSignatureError:
        raise InvalidToken("the token has expired", expired=True) from None
    except jwt.PyJWTError as error:
        raise InvalidToken(str(error)) from None
    return identity(claims)


def identity(claims: Mapping[str, Any]) -> Identity:
    """Reads the claims by all the names that the documents use. Raises InvalidToken when nobody is named."""
    user = _text(claims, "userId", "sub", "id")
    agent = _text(claims, "agentId")
    if user is None and agent is None:
        raise InvalidToken("the token names neither a user (userId, sub, id) nor an agent (agentId)")
    if user is not None and user.startswith("agent:"):
        raise InvalidToken("a user may not be named agent:…, as which agents read")
    return Identity(
        tenant=_text(claims, "tenantId") or DEFAULT_TENANT,
        user_id=user,
        agent_id=agent,
        org_ids=_texts(claims, "orgIds", "orgId"),
        departments=_texts(claims, "departments", "department"),
        roles=_texts(claims, "roles", "role"),
        session_id=_text(claims, "sessionId"),
        expires_at=float(claims["exp"]),
    )


def issue(claims: Mapping[str, Any], secret: str, *, now: datetime, lifetime: timedelta) -> str:
    """A signed token, for development and tests."""
    return jwt.encode({"iat": now, "exp": now + lifetime, **claims}, secret, ALGORITHM)


def _text(claims: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = claims.get(name)
        if isinstance(value, str | int) and str(value):
            return str(value)
    return None


def _texts(claims: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        value = claims.get(name)
        values = value if isinstance(value, list | tuple) else [value]
        found += [str(v) for v in values if isinstance(v, str | int) and str(v)]
    return tuple(dict.fromkeys(found))
