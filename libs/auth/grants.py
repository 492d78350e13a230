"""Grants: an application lets a person into rooms by a token signed with the key that it shares with us (S15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from libs.auth.tokens import ALGORITHM

AUDIENCE = "carillon:join"
MIN_KEY_BYTES = 32
_MAX_ROOMS = 100


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may join what. `rooms` are named as outside: `{type}:{id}`. `expires_at` is in seconds of the epoch."""

    tenant: str
    user_id: str
    rooms: frozenset[str]
    expires_at: float


def read(token: str, key: str, now: datetime) -> Grant | None:
    """The grant of a token that was signed with the key and is in force, else None."""
    options = {"require": ["exp", "sub", "aud"], "verify_exp": False}
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], audience=AUDIENCE, options=options)  # type: ignore[arg-type]
    except jwt.PyJWTError:
        return None
    tenant, user, rooms, expires = (claims.get(name) for name in ("tenantId", "sub", "rooms", "exp"))
    if not (isinstance(tenant, str) and isinstance(user, str) and isinstance(rooms, list)):
        return None
    if len(rooms) > _MAX_ROOMS or not isinstance(expires, int | float) or expires <= now.timestamp():
        return None
    return Grant(tenant, user, frozenset(room for room in rooms if isinstance(room, str)), float(expires))


def issue(tenant: str, user_id: str, rooms: Iterable[str], key: str, *, now: datetime, lifetime: timedelta) -> str:
    """A grant, as an application makes it."""
    claims = {"aud": AUDIENCE, "tenantId": tenant, "sub": user_id, "rooms": list(rooms), "exp": now + lifetime}
    return jwt.encode(claims, key, ALGORITHM)
