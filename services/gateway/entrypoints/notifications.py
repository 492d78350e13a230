"""The inbox over HTTP, under `/api/v1/notifications` and, with the field names of 000, `/api/notifications` (S20)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from libs.auth.tokens import Identity
from libs.http.problems import Problem
from libs.runtime.clock import iso
from libs.schemas.events import EventName, Severity
from libs.schemas.records import StateOperation
from services.gateway.domain.inbox import MAX_LIMIT, MAX_OFFSET, Filters, Place, Row, cursor, place, reader
from services.gateway.domain.views import View
from services.gateway.entrypoints.caller import Caller
from services.gateway.handlers.inbox import InboxDesk

_Text = Annotated[str | None, Field(max_length=200, pattern=r"^[^\x00]*$")]
_Seq = Annotated[int, Field(ge=0, lt=2**63)]


class Listing(BaseModel):
    """The query of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0
    cursor: Annotated[str | None, Field(max_length=2_000)] = None
    event: EventName | None = None
    name: _Text = None
    type: _Text = None
    severity: Severity | None = None
    tag: _Text = None
    org: _Text = None
    agent: _Text = None
    unread: bool | None = None
    since: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to")] = None

    def filters(self) -> Filters:
        """What the list is narrowed to."""
        return Filters(**self.model_dump(exclude={"limit", "offset", "cursor"}))

    def after(self) -> Place | None:
        """The place after which the page begins. Raises Problem 422 when the cursor is not one of ours."""
        found = None if self.cursor is None else place(self.cursor)
        if self.cursor is not None and found is None:
            errors = [{"field": "cursor", "message": "it is not a cursor of this list"}]
            raise Problem(422, "invalid-request", "cursor: it is not a cursor of this list", errors=errors)
        return found


class ReadAll(BaseModel):
    """What the client has seen: `{room: seq}`, or its position, `{room: [epoch, seq]}`."""

    positions: Annotated[dict[str, _Seq | tuple[_Seq, _Seq]] | None, Field(max_length=5_000)] = None


def router(prefix: str, view: View, desk: InboxDesk, caller: Caller) -> APIRouter:
    """The routes under a prefix, with rows shaped by `view`."""
    routes = APIRouter(prefix=prefix, tags=["inbox"])
    _reading(routes, view, desk, caller)
    _marking(routes, view, desk, caller)
    return routes


def _reading(routes: APIRouter, view: View, desk: InboxDesk, caller: Caller) -> None:
    who = Depends(caller)

    async def page(query: Annotated[Listing, Query()], identity: Identity = who) -> Response:
        """Newest first; `nextCursor` is null on the last page."""
        rows, more = await desk.page(identity, query.filters(), query.limit, query.offset, query.after())
        after = cursor(Place(rows[-1]["at"], rows[-1]["room"], rows[-1]["seq"])) if more else None
        return _json({"items": [view(row, reader(identity)) for row in rows], "nextCursor": after})

    async def unread_count(identity: Identity = who) -> Response:
        """`{count}`: what the list with unread=true holds in all."""
        return _json({"count": await desk.unread_count(identity)})

    async def one(notification: UUID, identity: Identity = who) -> Response:
        """One notification."""
        return _json(view(_found(await desk.one(identity, notification)), reader(identity)))

    routes.add_api_route("", page, methods=["GET"])
    routes.add_api_route("/unread-count", unread_count, methods=["GET"])
    routes.add_api_route("/{notification}", one, methods=["GET"])


def _marking(routes: APIRouter, view: View, desk: InboxDesk, caller: Caller) -> None:
    who = Depends(caller)

    async def mark(identity: Identity, notification: UUID, operation: StateOperation) -> Response:
        _found(await desk.mark(identity, notification, operation))
        return _json(view(_found(await desk.one(identity, notification)), reader(identity)))

    async def read(notification: UUID, identity: Identity = who) -> Response:
        """Marks one as read; doing so again changes nothing."""
        return await mark(identity, notification, "read")

    async def unread(notification: UUID, identity: Identity = who) -> Response:
        """Marks one as unread."""
        return await mark(identity, notification, "unread")

    async def delete(notification: UUID, identity: Identity = who) -> Response:
        """Takes one out of the caller's inbox, and of nobody else's."""
        _found(await desk.mark(identity, notification, "deleted"))
        return Response(status_code=204)

    async def read_all(body: ReadAll | None = None, identity: Identity = who) -> Response:
        """Marks read what the client has seen, or everything."""
        count, change = await desk.read_all(identity, None if body is None else body.positions)
        at, positions = (None, {}) if change is None else (iso(change.at), change.positions)
        return _json({"markedCount": count, "readAt": at, "positions": positions})

    routes.add_api_route("/read-all", read_all, methods=["POST"])
    routes.add_api_route("/{notification}", delete, methods=["DELETE"], status_code=204)
    for name, action in (("read", read), ("unread", unread)):
        for method in ("PATCH", "PUT"):
            routes.add_api_route(f"/{{notification}}/{name}", action, methods=[method])


def _found(row: Row | None) -> Row:
    if row is None:
        raise Problem(404, "not-found", "there is no such notification in your inbox")
    return row


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
