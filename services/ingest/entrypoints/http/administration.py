"""`/api/v1/keys` and `/api/v1/directory/tenants`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from libs.auth import api_keys
from libs.http.body import read_json_body
from libs.http.problems import Problem
from libs.schemas.events import MAX_EVENT_BYTES
from services.ingest.domain.access import Principal
from services.ingest.domain.tenants import EVERY
from services.ingest.entrypoints.http import admin_schemas as schemas
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.bodies import model_of
from services.ingest.handlers.access import Access
from services.ingest.ports.administering import Administration, KeyGrant

Named = Annotated[str | None, Query(alias="tenant", description="your own by default")]
TenantName = Annotated[str, Path(pattern=r"^[^\s:*/\x00-\x1f]{1,200}$", description="no colon, star, slash or space")]
_READ = openapi.problems(401, 403, 503)
_WRITE = openapi.problems(400, 401, 403, 413, 415, 422, 503)


def keys_router(access: Access, administration: Administration) -> APIRouter:
    """API keys of the caller's tenant."""
    routes = APIRouter(prefix="/api/v1/keys", tags=["keys"])
    allowed = Depends(caller.required(access, "keys:write"))

    @routes.post("", status_code=201, openapi_extra=openapi.body("KeyRequest"), responses=_WRITE)
    async def create_key(request: Request, named: Named = None, principal: Principal = allowed) -> schemas.CreatedKey:
        """Makes a key. Its text is shown this once and never again."""
        tenant = caller.tenant_of(request, principal, named)
        asked = model_of(schemas.KeyRequest, await read_json_body(request, MAX_EVENT_BYTES))
        _check_grant(request, principal, asked.scopes, asked.tenants)
        key = api_keys.create()
        grant = KeyGrant(asked.name, asked.scopes, asked.tenants, asked.expires_at)
        stored = await administration.create_key(tenant, key, grant, principal.actor)
        return schemas.CreatedKey.model_validate(stored | {"key": key.text})

    @routes.get("", responses=_READ)
    async def list_keys(request: Request, named: Named = None, principal: Principal = allowed) -> schemas.Keys:
        """All keys of the tenant, without their secrets."""
        found = await administration.keys(caller.tenant_of(request, principal, named))
        return schemas.Keys.model_validate({"keys": found})

    @routes.delete("/{key_id}", status_code=204, responses=_READ)
    async def revoke_key(
        request: Request, key_id: str, named: Named = None, principal: Principal = allowed
    ) -> Response:
        """Revokes a key. Every process has forgotten it after seconds."""
        if not await administration.revoke_key(caller.tenant_of(request, principal, named), key_id, principal.actor):
            raise Problem(404, "not-found", "there is no such key in force")
        return Response(status_code=204)

    return routes


def _check_grant(request: Request, principal: Principal, scopes: Iterable[str], tenants: Iterable[str]) -> None:
    """Nobody gives what they do not have."""
    for scope in scopes:
        if scope not in principal.scopes:
            raise Problem(403, "missing-scope", f"you do not have the scope {scope} yourself")
    for tenant in tenants:
        if tenant == EVERY:
            caller.platform_only(request, principal)
        else:
            caller.tenant_of(request, principal, tenant)


def tenants_router(access: Access, administration: Administration) -> APIRouter:
    """Tenants, for the platform's own callers."""
    routes = APIRouter(prefix="/api/v1/directory/tenants", tags=["tenants"])
    allowed = Depends(caller.required(access, "directory:write"))

    @routes.put("/{tenant}", openapi_extra=openapi.body("TenantRequest"), responses=_WRITE)
    async def put_tenant(request: Request, tenant: TenantName, principal: Principal = allowed) -> schemas.Tenant:
        """Makes a tenant, or changes it; a disabled one is enabled again."""
        caller.platform_only(request, principal)
        asked = model_of(schemas.TenantRequest, await read_json_body(request, MAX_EVENT_BYTES))
        stored = await administration.put_tenant(tenant, asked.name, asked.settings, principal.actor)
        return schemas.Tenant.model_validate(stored)

    @routes.get("/{tenant}", responses=_READ)
    async def get_tenant(request: Request, tenant: str, principal: Principal = allowed) -> schemas.Tenant:
        """A tenant."""
        caller.platform_only(request, principal)
        return schemas.Tenant.model_validate(_found(await administration.tenant(tenant)))

    @routes.delete("/{tenant}", status_code=204, responses=_READ)
    async def disable_tenant(request: Request, tenant: str, principal: Principal = allowed) -> Response:
        """Disables a tenant: its data stays, its events are refused."""
        caller.platform_only(request, principal)
        if not await administration.disable_tenant(tenant, principal.actor):
            raise Problem(404, "not-found", "there is no such tenant, or it is disabled")
        return Response(status_code=204)

    return routes


def _found(tenant: dict[str, Any] | None) -> dict[str, Any]:
    if tenant is None:
        raise Problem(404, "not-found", "there is no such tenant")
    return tenant
