"""`POST /dev/notifications/test`: a notification to try things with, in development only (F4-4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from libs.auth.tokens import Identity
from libs.catalogue.catalogue import Catalogue
from libs.http.problems import Problem
from libs.runtime.clock import Clock, iso
from libs.schemas.events import Id, Message, Recipients, Severity, Title
from libs.schemas.records import AcceptedEvent, Source
from services.gateway.entrypoints.caller import Caller
from services.gateway.entrypoints.json_body import json_answer
from services.gateway.store_ports import Events


class Trial(BaseModel):
    """What is sent; everything has a default. `type` is a key or alias of the catalogue."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(max_length=200)] = "system.notification"
    title: Title = "Test notification"
    message: Message = "This is a test"
    severity: Severity = "normal"
    data: dict[str, Any] | None = None


def router(events: Events, caller: Caller, catalogue_of: Callable[[str], Catalogue], clock: Clock) -> APIRouter:
    """The route. It sends to nobody but the caller."""
    routes = APIRouter(prefix="/dev/notifications", tags=["development"])
    who = Depends(caller)

    async def send_test(body: Trial | None = None, identity: Identity = who) -> Response:
        """Sends the caller a notification; 202 with its id."""
        event = _event(body or Trial(), identity, catalogue_of(identity.tenant), clock)
        await events.publish(event, identity.reader)
        return json_answer({"id": str(event.id), "status": "accepted"}, 202)

    routes.add_api_route("/test", send_test, methods=["POST"], status_code=202)
    return routes


def _event(trial: Trial, identity: Identity, catalogue: Catalogue, clock: Clock) -> AcceptedEvent:
    kind = catalogue.get(trial.type)
    if kind is None:
        raise Problem(422, "unknown-type", "the catalogue has no type of this key or alias")
    mine: tuple[Id, ...] = () if identity.user_id is None else (identity.user_id,)
    agents: tuple[Id, ...] = () if identity.agent_id is None else (identity.agent_id,)
    name = kind.match.name if kind.match.name and "*" not in kind.match.name else kind.key
    now = clock()
    return AcceptedEvent(
        id=uuid4(),
        tenant=identity.tenant,
        event=kind.match.event,
        type=kind.key,
        name=None if kind.match.event in ("system.notification", "service.alert") else name,
        title=trial.title,
        message=trial.message,
        severity=trial.severity,
        metadata={
            "timestamp": iso(now),
            "userId": identity.reader,
            "agentId": identity.agent_id or "test",
            "orgId": "test",
        },
        data=trial.data,
        recipients=Recipients(user_ids=mine, agent_ids=agents),
        channels=("in-app",),
        accepted_at=now,
        source=Source(topic="http"),
    )
