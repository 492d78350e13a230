"""The inbox over HTTP, under `/api/v1/notifications` and, with the field names of 000, `/api/notifications` (S20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from libs.auth.tokens import Identity
from libs.catalogue.catalogue import Catalogue
from libs.http.problems import Problem
from libs.runtime.clock import iso
from libs.schemas.records import StateOperation
from services.gateway.domain.inbox import Count, Place, Row, cursor, reader
from services.gateway.domain.marks import Action
from services.gateway.domain.views import View
from services.gateway.entrypoints.caller import Caller
from services.gateway.entrypoints.json_body import conditional, json_answer
from services.gateway.entrypoints.listing import Listing
from services.gateway.entrypoints.marking import Bulk, Positions, Snooze
from services.gateway.handlers.inbox import InboxDesk

#: What may be done to one, by the last part of its path.
_ACTIONS: dict[str, StateOperation] = {
    "read": "read",
    "unread": "unread",
    "seen": "seen",
    "archive": "archived",
    "unarchive": "unarchived",
    "unsnooze": "unsnoozed",
}
_METHODS = ["PATCH", "PUT", "POST"]

#: The catalogue of a tenant.
CatalogueOf = Callable[[str], Catalogue]


def router(prefix: str, view: View, desk: InboxDesk, caller: Caller, catalogue_of: CatalogueOf) -> APIRouter:
    """The routes under a prefix, with rows shaped by `view`."""
    routes = APIRouter(prefix=prefix, tags=["inbox"])
    _reading(routes, view, desk, caller, catalogue_of)
    _moving(routes, desk, caller, catalogue_of)
    _marking(routes, view, desk, caller)
    return routes


def _reading(routes: APIRouter, view: View, desk: InboxDesk, caller: Caller, catalogue_of: CatalogueOf) -> None:
    who = Depends(caller)

    async def page(request: Request, query: Annotated[Listing, Query()], identity: Identity = who) -> Response:
        """Newest first; `nextCursor` is null on the last page."""
        filters = query.filters(catalogue_of(identity.tenant))
        rows, more = await desk.page(identity, filters, query.limit, query.offset, query.after())
        after = cursor(Place(rows[-1]["at"], rows[-1]["room"], rows[-1]["seq"])) if more else None
        return conditional(request, {"items": [view(row, reader(identity)) for row in rows], "nextCursor": after})

    async def unread_count(request: Request, identity: Identity = who) -> Response:
        """`{count}`: what the list with unread=true holds in all."""
        return conditional(request, {"count": await desk.unread_count(identity)})

    async def counts(request: Request, identity: Identity = who) -> Response:
        """How many are unread and how many were not seen: in all, by type, and by category."""
        return conditional(request, _counted(await desk.counts(identity), catalogue_of(identity.tenant)))

    async def one(request: Request, notification: UUID, identity: Identity = who) -> Response:
        """One notification."""
        return conditional(request, view(_found(await desk.one(identity, notification)), reader(identity)))

    routes.add_api_route("", page, methods=["GET"])
    routes.add_api_route("/unread-count", unread_count, methods=["GET"])
    routes.add_api_route("/counts", counts, methods=["GET"])
    routes.add_api_route("/{notification}", one, methods=["GET"])


def _moving(routes: APIRouter, desk: InboxDesk, caller: Caller, catalogue_of: CatalogueOf) -> None:
    who = Depends(caller)

    async def read_all(body: Positions | None = None, identity: Identity = who) -> Response:
        """Marks read what the client has seen, or everything."""
        count, change = await desk.read_all(identity, None if body is None else body.positions)
        at, positions = (None, {}) if change is None else (iso(change.at), change.positions)
        return json_answer({"markedCount": count, "readAt": at, "positions": positions})

    async def seen_all(body: Positions | None = None, identity: Identity = who) -> Response:
        """Marks seen what the client has shown, or everything: the badge goes, the marks of unread stay."""
        _, change = await desk.move(identity, "seen", None if body is None else body.positions)
        return json_answer({"positions": {} if change is None else change.positions})

    async def clear(body: Positions | None = None, identity: Identity = who) -> Response:
        """Takes everything up to what the client has seen out of the caller's inbox, and of nobody else's."""
        _, change = await desk.move(identity, "cleared", None if body is None else body.positions)
        return json_answer({"positions": {} if change is None else change.positions})

    async def bulk(body: Bulk, identity: Identity = who) -> Response:
        """Does one thing to many, by ids or by filter. `more`: the filter may match more, so call again."""
        if body.ids is not None:
            found, changed = await desk.act(identity, body.ids, body.action())
            missing = [str(one) for one in dict.fromkeys(body.ids) if one not in found]
            return json_answer({"changed": changed, "notFound": missing, "more": False})
        assert body.filter is not None
        filters = body.filter.filters(catalogue_of(identity.tenant))
        changed, more = await desk.act_matching(identity, filters, body.positions, body.action())
        return json_answer({"changed": changed, "notFound": [], "more": more})

    routes.add_api_route("/read-all", read_all, methods=["POST"])
    routes.add_api_route("/seen", seen_all, methods=["POST"])
    routes.add_api_route("/clear", clear, methods=["POST"])
    routes.add_api_route("", clear, methods=["DELETE"])
    routes.add_api_route("/bulk", bulk, methods=["POST"])


def _marking(routes: APIRouter, view: View, desk: InboxDesk, caller: Caller) -> None:
    who = Depends(caller)

    async def mark(identity: Identity, notification: UUID, action: Action) -> Response:
        await desk.act(identity, [notification], action)
        return json_answer(view(_found(await desk.one(identity, notification)), reader(identity)))

    def marker(operation: StateOperation) -> Any:
        async def marks(notification: UUID, identity: Identity = who) -> Response:
            return await mark(identity, notification, Action(operation))

        marks.__name__, marks.__doc__ = f"mark_{operation}", f"Marks one as {operation}; again, it changes nothing."
        return marks

    async def snooze(notification: UUID, body: Snooze, identity: Identity = who) -> Response:
        """Hides one until a time; then it comes back unread."""
        return await mark(identity, notification, Action("snoozed", body.until))

    async def delete(notification: UUID, identity: Identity = who) -> Response:
        """Takes one out of the caller's inbox, and of nobody else's."""
        found, _ = await desk.act(identity, [notification], Action("deleted"))
        if not found:
            raise _not_found()
        return Response(status_code=204)

    routes.add_api_route("/{notification}", delete, methods=["DELETE"], status_code=204)
    named = [("snooze", snooze), *((name, marker(operation)) for name, operation in _ACTIONS.items())]
    for name, action in named:
        for method in _METHODS:
            routes.add_api_route(f"/{{notification}}/{name}", action, methods=[method])


def _counted(counts: list[Count], catalogue: Catalogue) -> dict[str, Any]:
    by_category: dict[str, dict[str, int]] = {}
    for count in counts:
        known = catalogue.get(count.type)
        of = by_category.setdefault("other" if known is None else known.category, {"unread": 0, "unseen": 0})
        of["unread"] += count.unread
        of["unseen"] += count.unseen
    return {
        "unread": sum(count.unread for count in counts),
        "unseen": sum(count.unseen for count in counts),
        "byType": {count.type: {"unread": count.unread, "unseen": count.unseen} for count in counts},
        "byCategory": by_category,
    }


def _found(row: Row | None) -> Row:
    if row is None:
        raise _not_found()
    return row


def _not_found() -> Problem:
    return Problem(404, "not-found", "there is no such notification in your inbox")
