"""JWTs of people and agents: what they say, and how they are issued for development (S3, S22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """Who a token speaks for. Either `user_id` or `agent_id` is set, or both. `person` is (tenant, reader)."""

    tenant: str
    user_id: str | None
    agent_id: str | None
    org_ids: tuple[str, ...]
    departments: tuple[str, ...]
    roles: tuple[str, ...]
    session_id: str | None
    expires_at: float
    person: tuple[str, str] = field(init=False, compare=False)  # one object for all who keep it: there are thousands

    def __post_init__(self) -> None:
        object.__setattr__(self, "person", (self.tenant, self.reader))

    @property
    def reader(self) -> str:
        """Whose inbox it is: the user's, or the agent's as `agent:{id}` when there is no user."""
        return self.user_id if self.user_id is not None else f"agent:{self.agent_id}"


def strip_bearer(token: str) -> str:
    """The token without spaces around it and without an optional `Bearer `."""
    token = token.strip()
    return token[7:].strip() if token[:7].lower() == "bearer " else token


def issue(claims: Mapping[str, Any], secret: str, *, now: datetime, lifetime: timedelta) -> str:
    """A signed token, for development and tests."""
    return jwt.encode({"iat": now, "exp": now + lifetime, **claims}, secret, ALGORITHM)
