"""`GET /api/v1/notifications/{id}/explanation`: why somebody was, or was not, told (B7)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from libs.explaining.story import Story, Waiting
from libs.http.problems import Problem
from libs.runtime.clock import iso
from libs.schemas.events import MAX_ID_LENGTH
from services.ingest.domain.access import Principal
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.handlers.access import Access
from services.ingest.ports.reporting import Explanations

_User = Annotated[
    str | None,
    Query(min_length=1, max_length=MAX_ID_LENGTH, description="for this person, or `agent:ID`; also who was not meant"),
]


def router(access: Access, explanations: Explanations) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["publish"])
    allowed = Depends(caller.required(access, "status:read"))

    @routes.get("/api/v1/notifications/{notification}/explanation", responses=openapi.problems(401, 403, 503))
    async def explain_notification(
        request: Request,
        notification: UUID,
        principal: Principal = allowed,
        tenant: Annotated[str | None, Query(description="of the notification; your own by default")] = None,
        user: _User = None,
        limit: Annotated[int, Query(ge=1, le=500, description="deliveries that are told")] = 100,
    ) -> Story:
        """What was decided and why, rule by rule, as of the planning time. What was not recorded is `derived`."""
        of = caller.tenant_of(request, principal, tenant)
        found = await explanations.find(of, notification, user, limit)
        if isinstance(found, Waiting):
            detail = f"it is no notification yet: it is {found.state}, due at {iso(found.due_at)}"
            raise Problem(404, "not-planned", detail)
        if found is None:
            raise Problem(404, "not-found", "no notification of this id is planned", headers={"Retry-After": "1"})
        return found

    return routes
