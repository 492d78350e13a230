"""`/api/v1/resource-policies`: who may join the resources of a tenant (S15). Without a policy nobody may."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from libs.http.body import read_json_body
from libs.http.problems import Problem
from libs.outbound.addresses import BadAddress, web_address
from libs.schemas import rooms
from libs.schemas.events import MAX_EVENT_BYTES
from services.ingest.domain.access import Principal
from services.ingest.domain.endpoints import SECRET_BYTES, secret_of
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.bodies import model_of
from services.ingest.entrypoints.http.live_schemas import PolicyRequest
from services.ingest.entrypoints.http.models import Body
from services.ingest.handlers.access import Access
from services.ingest.live_ports import PolicyChange, ResourcePolicies

Named = Annotated[str | None, Query(alias="tenant", description="your own by default")]
TypePath = Annotated[str, Path(pattern=r"^(\*|[A-Za-z][A-Za-z0-9_-]{0,63})$", description="* for all others")]
_READ = openapi.problems(401, 403, 503)
_WRITE = openapi.problems(400, 401, 403, 413, 415, 422, 503)


class Policy(Body):
    """A policy without its secrets: `secrets` is how many sign. `secret` is shown once, when it was made."""

    resource_type: str
    members: list[str]
    has_grant_key: bool
    url: str | None
    secrets: int
    cache_seconds: int
    client_events: bool
    updated_at: AwareDatetime
    secret: str | None = None


class Policies(Body):
    """All policies of a tenant."""

    policies: list[Policy]


def router(access: Access, policies: ResourcePolicies, *, plain: bool) -> APIRouter:
    """`plain`: private networks may be led to (development)."""
    routes = APIRouter(prefix="/api/v1/resource-policies", tags=["resource policies"])
    reading = Depends(caller.required(access, "directory:read"))
    writing = Depends(caller.required(access, "directory:write"))

    @routes.get("", responses=_READ)
    async def list_policies(request: Request, named: Named = None, principal: Principal = reading) -> Policies:
        """All policies of the tenant."""
        found = await policies.list(caller.tenant_of(request, principal, named))
        return Policies.model_validate({"policies": found})

    @routes.get("/{kind}", responses=_READ)
    async def get_policy(
        request: Request, kind: TypePath, named: Named = None, principal: Principal = reading
    ) -> Policy:
        """The policy of a type."""
        found = await policies.find(caller.tenant_of(request, principal, named), kind)
        if found is None:
            raise _missing()
        return Policy.model_validate(found)

    @routes.put("/{kind}", openapi_extra=openapi.body("PolicyRequest"), responses=_WRITE)
    async def put_policy(
        request: Request, kind: TypePath, named: Named = None, principal: Principal = writing
    ) -> Policy:
        """Says who may join resources of the type; in force within seconds, also for those who are inside."""
        tenant = caller.tenant_of(request, principal, named)
        if kind != "*" and not rooms.is_resource_type(kind):
            raise Problem(422, "reserved-type", f"{kind} is a kind of the platform's own rooms")
        asked = model_of(PolicyRequest, await read_json_body(request, MAX_EVENT_BYTES))
        try:
            secret = await policies.put(tenant, kind, _change(asked, plain=plain), principal.actor)
        except LookupError as error:
            raise Problem(422, "too-many-policies", str(error)) from None
        return Policy.model_validate((await policies.find(tenant, kind) or {}) | {"secret": secret})

    @routes.delete("/{kind}", status_code=204, responses=_READ)
    async def remove_policy(
        request: Request, kind: TypePath, named: Named = None, principal: Principal = writing
    ) -> Response:
        """From now on nobody joins resources of the type; within seconds those inside are put out."""
        if not await policies.remove(caller.tenant_of(request, principal, named), kind, principal.actor):
            raise _missing()
        return Response(status_code=204)

    return routes


def _change(asked: PolicyRequest, *, plain: bool) -> PolicyChange:
    if asked.url is not None:
        try:
            web_address(asked.url, plain=plain)
        except BadAddress as error:
            raise Problem(
                422, "invalid-field", f"url: {error}", errors=[{"field": "url", "message": str(error)}]
            ) from None
    return PolicyChange(
        asked.members,
        asked.grant_key,
        "grant_key" not in asked.model_fields_set,
        asked.url,
        secret_of(secrets.token_bytes(SECRET_BYTES)),
        asked.rotate_secret,
        asked.cache_seconds,
        asked.client_events,
    )


def _missing() -> Problem:
    return Problem(404, "not-found", "there is no policy for this type")
