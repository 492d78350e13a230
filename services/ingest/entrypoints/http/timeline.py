"""`GET /api/v1/notifications/{id}/timeline`: every decision, delivery and attempt, with when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from libs.http.problems import Problem
from services.ingest.domain.access import Principal
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.models import Body
from services.ingest.handlers.access import Access
from services.ingest.ports.reporting import Timelines


class AttemptEntry(Body):
    """A provider was asked. `reason` is a code of docs/errors.md, `code` the provider's own."""

    attempt: int
    provider: str
    outcome: str
    reason: str | None
    code: str | None
    started_at: datetime
    duration_ms: int


class DeliveryEntry(Body):
    """What was decided for one person (or endpoint) and channel, and what became of it."""

    id: UUID
    user_id: str
    channel: str
    state: str
    reason: str
    created_at: datetime
    updated_at: datetime
    next_attempt_at: datetime | None
    expires_at: datetime | None
    provider: str | None
    provider_message_id: str | None
    attempts_counted: int
    attempts: list[AttemptEntry]


class Timeline(Body):
    """A page of a notification's deliveries; `next` is the cursor of the following one."""

    id: UUID
    tenant: str
    accepted_at: datetime
    planned_at: datetime
    rooms: list[str]
    deliveries: list[DeliveryEntry]
    next: UUID | None


def router(access: Access, timelines: Timelines) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["publish"])
    allowed = Depends(caller.required(access, "status:read"))

    @routes.get("/api/v1/notifications/{notification}/timeline", responses=openapi.problems(401, 403, 503))
    async def notification_timeline(
        request: Request,
        notification: UUID,
        principal: Principal = allowed,
        tenant: Annotated[str | None, Query(description="of the notification; your own by default")] = None,
        user: Annotated[str | None, Query(description="only what concerns this person")] = None,
        cursor: Annotated[UUID | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Timeline:
        """What was decided and what was tried, without content and without addresses."""
        of = caller.tenant_of(request, principal, tenant)
        found = await timelines.page(of, notification, cursor, user, limit)
        if found is None:
            raise Problem(404, "not-found", "no notification of this id is planned", headers={"Retry-After": "1"})
        return Timeline.model_validate(found)

    return routes
