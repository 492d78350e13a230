"""`/api/v1/suppressions`: addresses that nothing is sent to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from libs.http.body import read_json_body
from libs.http.problems import Problem
from libs.schemas.events import MAX_EVENT_BYTES
from services.ingest.domain.access import Principal
from services.ingest.domain.suppressions import Reason, SuppressedChannel
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.after_schemas import SuppressionRequest
from services.ingest.entrypoints.http.bodies import model_of
from services.ingest.entrypoints.http.models import Body
from services.ingest.handlers.access import Access
from services.ingest.ports.administering import Suppressions

Named = Annotated[str | None, Query(alias="tenant", description="your own by default")]
_READ = openapi.problems(401, 403, 503)
_WRITE = openapi.problems(400, 401, 403, 413, 415, 422, 503)


class Suppression(Body):
    """Nothing is sent to an address. `source` is a provider, or who said so."""

    id: str
    channel: SuppressedChannel
    masked: str
    reason: Reason
    source: str
    created_at: AwareDatetime


class SuppressionList(Body):
    """The newest first; `next` is the cursor of the next page."""

    suppressions: list[Suppression]
    next: str | None = None


def router(access: Access, suppressions: Suppressions) -> APIRouter:
    """List, look up, add, remove."""
    routes = APIRouter(prefix="/api/v1/suppressions", tags=["suppressions"])
    reading = Depends(caller.required(access, "directory:read"))
    writing = Depends(caller.required(access, "directory:write"))

    @routes.get("", responses=_READ | openapi.problems(422))
    async def list_suppressions(
        request: Request,
        named: Named = None,
        channel: Annotated[SuppressedChannel | None, Query()] = None,
        cursor: Annotated[str | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        principal: Principal = reading,
    ) -> SuppressionList:
        """The tenant's suppressions, the newest first."""
        tenant = caller.tenant_of(request, principal, named)
        found = await suppressions.page(tenant, channel, _position(cursor), limit)
        last = found[-1] if len(found) == limit else None
        following = f"{last['created_at'].isoformat()}~{last['id']}" if last else None
        return SuppressionList.model_validate({"suppressions": found, "next": following})

    @routes.post("", status_code=201, openapi_extra=openapi.body("SuppressionRequest"), responses=_WRITE)
    async def add_suppression(request: Request, named: Named = None, principal: Principal = writing) -> Suppression:
        """Nothing is sent to the address from now on."""
        tenant = caller.tenant_of(request, principal, named)
        asked = model_of(SuppressionRequest, await read_json_body(request, MAX_EVENT_BYTES))
        source = principal.actor
        return Suppression.model_validate(
            await suppressions.add(tenant, asked.channel, asked.address, reason="manual", source=source)
        )

    @routes.post("/find", openapi_extra=openapi.body("SuppressionRequest"), responses=_WRITE)
    async def find_suppression(request: Request, named: Named = None, principal: Principal = reading) -> Suppression:
        """The suppression of an address. It is asked for in a body, because addresses of requests are logged."""
        tenant = caller.tenant_of(request, principal, named)
        asked = model_of(SuppressionRequest, await read_json_body(request, MAX_EVENT_BYTES))
        found = await suppressions.find(tenant, asked.channel, asked.address)
        if found is None:
            raise Problem(404, "not-found", "the address is not suppressed")
        return Suppression.model_validate(found)

    @routes.delete("/{identifier}", status_code=204, responses=_READ)
    async def remove_suppression(
        request: Request, identifier: str, named: Named = None, principal: Principal = writing
    ) -> Response:
        """The address is sent to again."""
        tenant = caller.tenant_of(request, principal, named)
        digest = _digest(identifier)
        if digest is None or not await suppressions.remove(tenant, digest, principal.actor):
            raise Problem(404, "not-found", "there is no such suppression")
        return Response(status_code=204)

    return routes


def _position(cursor: str | None) -> tuple[datetime, bytes] | None:
    if cursor is None:
        return None
    at, _, identifier = cursor.partition("~")
    digest = _digest(identifier)
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None or digest is None:
        raise Problem(422, "invalid-field", "cursor: give `next` of the page before")
    return when, digest


def _digest(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
