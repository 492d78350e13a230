"""`POST /api/v1/notifications/{id}/cancel`."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from services.ingest.domain.access import Principal
from services.ingest.entrypoints.http import caller, openapi, schemas
from services.ingest.handlers.access import Access
from services.ingest.ports.administering import Cancellations

PATIENCE = 2.0  # seconds: the router looks every half second
_LOOK = 0.05


class Cancellation(BaseModel):
    """What became of a request to cancel. `channels` say how far it had got on each: what was sent stays sent.

    `status` is `cancelled` when it was carried out, `requested` until then: also a notification that comes later, or
    never came, is cancelled.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: UUID
    tenant: str
    status: Literal["requested", "cancelled"]
    requested_at: datetime
    done_at: datetime | None
    channels: list[schemas.DeliveryCount]


def router(access: Access, cancellations: Cancellations) -> APIRouter:
    """The route that cancels a notification, wherever it is."""
    routes = APIRouter(tags=["publish"])
    allowed = Depends(caller.required(access, "events:write"))

    @routes.post("/api/v1/notifications/{notification}/cancel", responses=openapi.problems(401, 403, 503))
    async def cancel_notification(
        request: Request,
        response: Response,
        notification: UUID,
        principal: Principal = allowed,
        tenant: Annotated[str | None, Query(description="of the notification; your own by default")] = None,
    ) -> Cancellation:
        """Cancels a notification: scheduled, collected or waiting, it is not sent; shown, it is withdrawn. 202 while
        that has not been carried out. Asking again tells how far it is."""
        whose = caller.tenant_of(request, principal, tenant)
        await cancellations.request(whose, notification, principal.actor)
        found = await _carried_out(cancellations, whose, notification)
        done = found["done_at"] is not None
        response.status_code = 200 if done else 202
        return Cancellation(
            id=notification,
            tenant=whose,
            status="cancelled" if done else "requested",
            requested_at=found["requested_at"],
            done_at=found["done_at"],
            channels=[schemas.DeliveryCount.model_validate(count) for count in found["channels"]],
        )

    return routes


async def _carried_out(cancellations: Cancellations, tenant: str, notification: UUID) -> dict[str, Any]:
    """How far it is when it was carried out, or when that takes too long, or there is nothing to carry it out on."""
    until = time.monotonic() + PATIENCE
    while True:
        found = await cancellations.find(tenant, notification)
        if found["done_at"] is not None or not found["known"] or time.monotonic() > until:
            return found
        await asyncio.sleep(_LOOK)
