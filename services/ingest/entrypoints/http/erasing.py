"""`/api/v1/directory/users/{id}/content`: erasing what was said to a person (B11)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime

from libs.http.problems import Problem
from libs.schemas.events import MAX_ID_LENGTH
from libs.schemas.topics import IDS_KEPT
from services.ingest.domain.access import Principal
from services.ingest.domain.directory import Change, Subject
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.models import Body
from services.ingest.handlers.access import Access
from services.ingest.handlers.directory import DirectoryChanges
from services.ingest.ports.administering import Erasures

UserPath = Annotated[str, Path(min_length=1, max_length=MAX_ID_LENGTH)]
Named = Annotated[str | None, Query(alias="tenant", description="your own by default")]
_PROBLEMS = openapi.problems(401, 403, 503)


class Erasure(Body):
    """How far an erasure is: `requested`; `erased` when the database has nothing more of what was accepted before the
    request; `done` when no topic has either, at `beyond_until`. `notifications` is how many were blanked."""

    tenant: str
    user_id: str
    status: Literal["requested", "erased", "done"]
    requested_at: AwareDatetime
    erased_at: AwareDatetime | None
    done_at: AwareDatetime | None
    beyond_until: AwareDatetime
    notifications: int


def router(access: Access, erasures: Erasures, changes: DirectoryChanges) -> APIRouter:
    """Asking for it, and asking how far it is."""
    routes = APIRouter(prefix="/api/v1/directory", tags=["directory"])
    allowed = Depends(caller.required(access, "content:erase"))

    @routes.delete("/users/{user_id}/content", status_code=202, responses=_PROBLEMS)
    async def erase_content(
        request: Request, response: Response, user_id: UserPath, named: Named = None, principal: Principal = allowed
    ) -> Erasure:
        """Deletes the person from the directory, and erases what was said to them alone. Repeat it if it fails."""
        tenant = caller.tenant_of(request, principal, named)
        await changes.apply([Change(Subject(tenant, "user", (user_id,)), None)], road="http", actor=principal.actor)
        await erasures.request(tenant, user_id, principal.actor)
        response.headers["Location"] = str(request.url.path)
        return _shown(await erasures.find(tenant, user_id))

    @routes.get("/users/{user_id}/content", responses=_PROBLEMS)
    async def get_erasure(
        request: Request, user_id: UserPath, named: Named = None, principal: Principal = allowed
    ) -> Erasure:
        """How far the erasure is that was asked for last."""
        return _shown(await erasures.find(caller.tenant_of(request, principal, named), user_id))

    return routes


def _shown(found: dict[str, Any] | None) -> Erasure:
    if found is None:
        raise Problem(404, "not-found", "nobody has asked to erase what was said to this person")
    requested: datetime = found["requested_at"]
    status = "done" if found["done_at"] else "erased" if found["erased_at"] else "requested"
    return Erasure.model_validate(found | {"status": status, "beyond_until": requested + IDS_KEPT})
