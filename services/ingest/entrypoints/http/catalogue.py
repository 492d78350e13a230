"""`/api/v1/catalogue`: the notification types of a tenant."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from libs.catalogue.reading import BadCatalogue
from libs.http.body import read_body, read_json_body
from libs.http.problems import Problem
from services.ingest.domain.access import Principal
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http import catalogue_schemas as schemas
from services.ingest.entrypoints.http.bodies import document_of
from services.ingest.handlers.access import Access
from services.ingest.handlers.catalogue import CatalogueChanges, Shown

MAX_TYPE_BYTES = 128 * 1024
MAX_CATALOGUE_BYTES = 1024 * 1024
_YAML = ("application/yaml", "text/yaml", "application/x-yaml", "application/json")

Named = Annotated[str | None, Query(alias="tenant", description="your own by default")]
Number = Annotated[int | None, Query(alias="version", ge=0, description="as of this number of the tenant's catalogue")]
KeyPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=100)]
_READ = openapi.problems(401, 403, 503)
_WRITE = openapi.problems(400, 401, 403, 413, 415, 422, 503)


def router(access: Access, changes: CatalogueChanges) -> APIRouter:
    """Types one by one, and documents of them to be checked."""
    routes = APIRouter(prefix="/api/v1/catalogue", tags=["catalogue"])
    _add_reads(routes, changes, Depends(caller.required(access, "catalogue:read")))
    _add_writes(routes, changes, Depends(caller.required(access, "catalogue:write")))
    return routes


def _add_reads(routes: APIRouter, changes: CatalogueChanges, reading: Any) -> None:
    @routes.get("/types", responses=_READ)
    async def list_types(
        request: Request, named: Named = None, number: Number = None, principal: Principal = reading
    ) -> schemas.ShownTypes:
        """All types in force, now or in an earlier version."""
        found = await changes.shown(caller.tenant_of(request, principal, named), number)
        return schemas.ShownTypes(types=[_shown(entry) for entry in found])

    @routes.get("/types/{key}", responses=_READ)
    async def get_type(
        request: Request, key: KeyPath, named: Named = None, number: Number = None, principal: Principal = reading
    ) -> schemas.ShownType:
        """A type in force, now or in an earlier version."""
        for entry in await changes.shown(caller.tenant_of(request, principal, named), number):
            if entry.type.key == key:
                return _shown(entry)
        raise _no_type()

    @routes.get("/types/{key}/versions", responses=_READ)
    async def list_versions(
        request: Request, key: KeyPath, named: Named = None, principal: Principal = reading
    ) -> schemas.TypeVersions:
        """Everything that the tenant said of a type."""
        found = await changes.versions(caller.tenant_of(request, principal, named), key)
        return schemas.TypeVersions.model_validate({"versions": found})

    @routes.post("/validate", openapi_extra=openapi.body("TypeDocuments"), responses=_WRITE, dependencies=[reading])
    async def validate(request: Request) -> schemas.Validation:
        """Checks a document of types in YAML or JSON; nothing is changed."""
        body = await read_body(request, MAX_CATALOGUE_BYTES, _YAML)
        try:
            faults = changes.faults(body.decode())
        except UnicodeDecodeError:
            raise Problem(400, "not-utf8", "the body is not UTF-8") from None
        found = [schemas.CatalogueFault(reason=f.reason, key=f.key, line=f.line, field=f.field) for f in faults]
        return schemas.Validation(valid=not found, faults=found)


def _add_writes(routes: APIRouter, changes: CatalogueChanges, writing: Any) -> None:
    @routes.put("/types/{key}", openapi_extra=openapi.body("TypeDocument"), responses=_WRITE)
    async def put_type(
        request: Request, key: KeyPath, named: Named = None, principal: Principal = writing
    ) -> schemas.ShownType:
        """Says what a type is: of a shipped one what differs, of another everything. In force within seconds."""
        tenant = caller.tenant_of(request, principal, named)
        document = document_of(await read_json_body(request, MAX_TYPE_BYTES))
        if not isinstance(document, dict) or document.get("key", key) != key:
            raise Problem(422, "invalid-type", "a JSON object was expected, whose key, if any, is that of the path")
        try:
            return _shown(await changes.put(tenant, key, document, principal.actor))
        except BadCatalogue as bad:
            raise _refused(bad) from None

    @routes.delete("/types/{key}", status_code=204, responses=_WRITE)
    async def delete_type(
        request: Request, key: KeyPath, named: Named = None, principal: Principal = writing
    ) -> Response:
        """Takes back what the tenant said of a type: a shipped one is as shipped again."""
        try:
            if not await changes.delete(caller.tenant_of(request, principal, named), key, principal.actor):
                raise _no_type()
        except BadCatalogue as bad:
            raise _refused(bad) from None
        return Response(status_code=204)


def _shown(entry: Shown) -> schemas.ShownType:
    return schemas.ShownType(type=entry.type, said=entry.said, catalogue_version=entry.version)


def _no_type() -> Problem:
    return Problem(404, "not-found", "the tenant's catalogue has nothing under this key")


def _refused(bad: BadCatalogue) -> Problem:
    errors = [{"field": fault.field or "(body)", "message": fault.reason} for fault in bad.faults]
    return Problem(422, "invalid-type", str(bad), errors=errors)
