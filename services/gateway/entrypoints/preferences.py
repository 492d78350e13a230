"""Preferences over HTTP: a person reads and writes their own, administrators read those of others (F2-2)."""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from libs.auth.tokens import Identity
from libs.http.problems import Problem
from libs.runtime.clock import Clock, iso
from services.gateway.entrypoints.caller import Caller, forbidden
from services.gateway.ports import Preferences, PreferenceStore

_Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
# The inbox has no switch here: what is in it is hidden by muting, not left out.
_External = Literal["email", "push", "sms", "webhook", "slack", "discord", "teams"]
_Switches = dict[_External, bool]


class Wanted(BaseModel):
    """`channels` switches channels for everything, `types` for one catalogue key. `version` guards against writing
    over a change that the client has not seen."""

    model_config = ConfigDict(extra="forbid")

    channels: _Switches = Field(default_factory=dict)
    types: Annotated[dict[_Key, _Switches], Field(max_length=1_000)] = Field(default_factory=dict)
    version: Annotated[int | None, Field(ge=0)] = None


def router(store: PreferenceStore, caller: Caller, admin_roles: frozenset[str], clock: Clock) -> APIRouter:
    """The routes under `/api/v1/preferences`."""
    routes = APIRouter(prefix="/api/v1/preferences", tags=["preferences"])
    who = Depends(caller)

    async def read(identity: Identity = who) -> Response:
        """The caller's preferences; version 0 before they were ever set."""
        return _answer(await store.current(identity.tenant, identity.reader))

    async def write(wanted: Wanted, identity: Identity = who) -> Response:
        """Replaces the caller's preferences by a new version."""
        document = wanted.model_dump(include={"channels", "types"})
        made = await store.replace(identity.tenant, identity.reader, document, wanted.version, clock())
        if made is None:
            raise Problem(409, "version-conflict", "the preferences have changed since that version was read")
        return _answer(made)

    async def read_of(user: str, identity: Identity = who) -> Response:
        """Another person's preferences, for administrators of the tenant."""
        if user != identity.reader and not admin_roles & set(identity.roles):
            raise forbidden(identity, "not-an-administrator", "only administrators read the preferences of others")
        return _answer(await store.current(identity.tenant, user))

    async def write_of(user: str, wanted: Wanted, identity: Identity = who) -> Response:
        """Nobody writes the preferences of another person."""
        if user != identity.reader:
            raise forbidden(identity, "not-your-own", "a person's preferences are written by themselves alone")
        return await write(wanted, identity)

    routes.add_api_route("", read, methods=["GET"])
    routes.add_api_route("", write, methods=["PUT"])
    routes.add_api_route("/{user}", read_of, methods=["GET"])
    routes.add_api_route("/{user}", write_of, methods=["PUT"])
    return routes


def _answer(found: Preferences) -> Response:
    since = None if found.since is None else iso(found.since)
    document = {"channels": {}, "types": {}} | found.document
    return Response(
        orjson.dumps(document | {"version": found.version, "updatedAt": since}), media_type="application/json"
    )
