"""`/api/v1/endpoints/{id}/secrets` and `/ping`: rotate what signs, and try an endpoint."""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from libs.http.problems import Problem
from services.ingest.domain.access import Principal
from services.ingest.domain.endpoints import SECRET_BYTES, secret_of
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.models import Body
from services.ingest.handlers.access import Access
from services.ingest.ports.administering import Endpoints

Named = Annotated[str | None, Query(alias="tenant", description="your own by default")]
PathId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
_READ = openapi.problems(401, 403, 503)
_PATIENCE, _EVERY = 10.0, 0.1  # seconds
_OPEN = frozenset({"planned", "claimed", "sending", "unknown"})


class NewSecret(Body):
    """It signs from now on, beside the ones before it."""

    secret: str


class Pinged(Body):
    """What became of a test message. `state` is that of its delivery, `code` the endpoint's answer."""

    state: str
    reason: str
    code: str | None = None
    duration_ms: int | None = None


def router(access: Access, endpoints: Endpoints) -> APIRouter:
    """Beside the routes of endpoints themselves."""
    routes = APIRouter(prefix="/api/v1/endpoints", tags=["endpoints"])
    writing = Depends(caller.required(access, "directory:write"))

    @routes.post("/{endpoint}/secrets", status_code=201, responses=_READ)
    async def rotate_secret(
        request: Request, endpoint: PathId, named: Named = None, principal: Principal = writing
    ) -> NewSecret:
        """A new secret, shown this once. It signs first; the ones before it sign too until they are retired."""
        tenant, secret = caller.tenant_of(request, principal, named), secret_of(secrets.token_bytes(SECRET_BYTES))
        if not await endpoints.rotate(tenant, endpoint, secret, principal.actor):
            raise Problem(404, "not-found", "there is no such webhook")
        return NewSecret(secret=secret)

    @routes.delete("/{endpoint}/secrets/old", status_code=204, responses=_READ)
    async def retire_secrets(
        request: Request, endpoint: PathId, named: Named = None, principal: Principal = writing
    ) -> Response:
        """Only the newest secret signs from now on."""
        tenant = caller.tenant_of(request, principal, named)
        if not await endpoints.rotate(tenant, endpoint, None, principal.actor):
            raise Problem(404, "not-found", "there is no such webhook")
        return Response(status_code=204)

    @routes.post("/{endpoint}/ping", responses=_READ)
    async def ping_endpoint(
        request: Request, endpoint: PathId, named: Named = None, principal: Principal = writing
    ) -> Pinged:
        """Sends a test message on the way that all messages go, and waits up to 10 seconds for the answer."""
        tenant, delivery = caller.tenant_of(request, principal, named), uuid4()
        if not await endpoints.ping(tenant, endpoint, delivery):
            raise Problem(404, "not-found", "there is no such endpoint, or it is disabled")
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE
        while (found := await endpoints.pinged(tenant, delivery))["state"] in _OPEN and loop.time() < until:
            if found["code"] is not None:
                break  # it has answered once; what it says later is in its deliveries
            await asyncio.sleep(_EVERY)
        return Pinged.model_validate(found)

    return routes
