"""`GET /api/v1/notifications/{id}/status`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from libs.http.problems import Problem
from services.ingest.domain.access import Principal
from services.ingest.entrypoints.http import caller, openapi, schemas
from services.ingest.handlers.access import Access
from services.ingest.ports.reporting import Statuses


def router(access: Access, statuses: Statuses) -> APIRouter:
    """The route that tells how far a notification has come."""
    routes = APIRouter(tags=["publish"])
    allowed = Depends(caller.required(access, "status:read"))

    @routes.get("/api/v1/notifications/{notification}/status", responses=openapi.problems(401, 403, 503))
    async def notification_status(
        request: Request,
        notification: UUID,
        principal: Principal = allowed,
        tenant: Annotated[str | None, Query(description="of the notification; your own by default")] = None,
    ) -> schemas.NotificationStatus:
        """How far a notification has come: its rooms, its deliveries."""
        found = await statuses.find(caller.tenant_of(request, principal, tenant), notification)
        if found is None:
            detail = "no notification has this id; one that was accepted moments ago may not have been planned yet"
            raise Problem(404, "not-found", detail, headers={"Retry-After": "1"})
        return schemas.NotificationStatus.model_validate(found)

    return routes
