"""Presence over HTTP: who is online in the caller's tenant (F3-1, F4-1)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from libs.auth.tokens import Identity
from libs.http.problems import Problem
from services.gateway.entrypoints.caller import Caller
from services.gateway.handlers.presence_showing import PresenceNumbers

_MAX_PEOPLE = 100
_Users = Annotated[str | None, Query(alias="userIds", description="separated by commas; else the first who are online")]


def router(numbers: PresenceNumbers, caller: Caller) -> APIRouter:
    """`GET /api/v1/presence`"""
    routes = APIRouter(prefix="/api/v1/presence", tags=["presence"])
    who = Depends(caller)

    async def read(identity: Identity = who, users: _Users = None) -> dict[str, Any]:
        """How many are online, by role, and how each is; administrators see sockets and sessions as well."""
        asked = None if users is None else [user for user in users.split(",") if user]
        if asked is not None and len(asked) > _MAX_PEOPLE:
            raise Problem(422, "invalid-request", f"userIds: at most {_MAX_PEOPLE}")
        if any(not user.isprintable() for user in asked or ()):
            raise Problem(422, "invalid-request", "userIds: only printable characters")
        return await numbers.of(identity, asked)

    routes.add_api_route("", read, methods=["GET"])
    return routes
