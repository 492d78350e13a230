"""`/api/v1/endpoints`: where a tenant's notifications are posted to. Secrets are shown once, when they are made."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from libs.http.body import read_json_body
from libs.http.problems import Problem
from libs.schemas.events import MAX_EVENT_BYTES
from services.ingest.domain.access import Principal
from services.ingest.domain.endpoints import SECRET_BYTES, fault_of_url, secret_of
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.after_schemas import EndpointChannel, EndpointPatch, EndpointRequest
from services.ingest.entrypoints.http.bodies import model_of
from services.ingest.entrypoints.http.models import Body
from services.ingest.handlers.access import Access
from services.ingest.ports.administering import EndpointChange, Endpoints, NewEndpoint

Named = Annotated[str | None, Query(alias="tenant", description="your own by default")]
PathId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
_READ = openapi.problems(401, 403, 503)
_WRITE = openapi.problems(400, 401, 403, 409, 413, 415, 422, 503)


class Endpoint(Body):
    """`secrets` is how many sign. Of a chat's address, which is a secret, only the host is shown."""

    id: str
    channel: EndpointChannel
    url: str
    events: list[str]
    types: list[str]
    description: str | None
    secrets: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    disabled_at: AwareDatetime | None
    disabled_reason: str | None


class CreatedEndpoint(Endpoint):
    """A new endpoint; `secret` is what a webhook's receiver checks signatures with."""

    secret: str | None


class EndpointList(Body):
    """All endpoints of a tenant."""

    endpoints: list[Endpoint]


def router(access: Access, endpoints: Endpoints, *, plain: bool) -> APIRouter:
    """`plain`: private networks may be led to (development)."""
    routes = APIRouter(prefix="/api/v1/endpoints", tags=["endpoints"])
    reading = Depends(caller.required(access, "directory:read"))
    writing = Depends(caller.required(access, "directory:write"))

    async def one(tenant: str, endpoint: str) -> dict[str, object]:
        return _there(await endpoints.find(tenant, endpoint))

    @routes.get("", responses=_READ)
    async def list_endpoints(request: Request, named: Named = None, principal: Principal = reading) -> EndpointList:
        """All endpoints of the tenant."""
        found = await endpoints.list(caller.tenant_of(request, principal, named))
        return EndpointList.model_validate({"endpoints": found})

    @routes.post("", status_code=201, openapi_extra=openapi.body("EndpointRequest"), responses=_WRITE)
    async def create_endpoint(request: Request, named: Named = None, principal: Principal = writing) -> CreatedEndpoint:
        """Registers an endpoint. A webhook's secret is shown this once and never again."""
        tenant = caller.tenant_of(request, principal, named)
        asked = model_of(EndpointRequest, await read_json_body(request, MAX_EVENT_BYTES))
        _check(asked.channel, asked.url, plain=plain)
        secret = secret_of(secrets.token_bytes(SECRET_BYTES)) if asked.channel == "webhook" else None
        name = asked.id or f"ep-{secrets.token_hex(6)}"
        signing = [secret] if secret else []
        new = NewEndpoint(name, asked.channel, asked.url, asked.events, asked.types, asked.description, signing)
        if not await endpoints.add(tenant, new, principal.actor):
            raise Problem(409, "already-exists", "there is an endpoint of this id")
        return CreatedEndpoint.model_validate(await one(tenant, name) | {"secret": secret})

    @routes.get("/{endpoint}", responses=_READ)
    async def get_endpoint(
        request: Request, endpoint: PathId, named: Named = None, principal: Principal = reading
    ) -> Endpoint:
        """An endpoint."""
        return Endpoint.model_validate(await one(caller.tenant_of(request, principal, named), endpoint))

    @routes.patch("/{endpoint}", openapi_extra=openapi.body("EndpointPatch"), responses=_WRITE)
    async def change_endpoint(
        request: Request, endpoint: PathId, named: Named = None, principal: Principal = writing
    ) -> Endpoint:
        """Changes an endpoint; `disabled: false`, or another address, lets it be posted to again."""
        tenant = caller.tenant_of(request, principal, named)
        asked = model_of(EndpointPatch, await read_json_body(request, MAX_EVENT_BYTES))
        _check(str((await one(tenant, endpoint))["channel"]), asked.url, plain=plain)
        change = EndpointChange(asked.url, asked.events, asked.types, asked.description, asked.disabled)
        await endpoints.change(tenant, endpoint, change, principal.actor)
        return Endpoint.model_validate(await one(tenant, endpoint))

    @routes.delete("/{endpoint}", status_code=204, responses=_READ)
    async def remove_endpoint(
        request: Request, endpoint: PathId, named: Named = None, principal: Principal = writing
    ) -> Response:
        """Removes an endpoint; what waits for it fails for want of an address."""
        if not await endpoints.remove(caller.tenant_of(request, principal, named), endpoint, principal.actor):
            raise _missing()
        return Response(status_code=204)

    return routes


def _check(channel: str, url: str | None, *, plain: bool) -> None:
    if url is not None and (fault := fault_of_url(channel, url, plain=plain)) is not None:
        raise Problem(422, "invalid-field", f"url: {fault}", errors=[{"field": "url", "message": fault}])


def _there(found: dict[str, object] | None) -> dict[str, object]:
    if found is None:
        raise _missing()
    return found


def _missing() -> Problem:
    return Problem(404, "not-found", "there is no such endpoint")
