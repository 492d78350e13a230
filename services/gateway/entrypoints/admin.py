"""What administrators see and do: logs, figures, readers, broadcasts (F4-4); also under `/admin/notifications`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import httpx
import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from libs.auth.tokens import Identity
from libs.catalogue.catalogue import Catalogue
from libs.http.problems import Problem
from libs.runtime.clock import Clock, iso
from libs.schemas.events import EventName
from services.gateway.domain.admin import LogFilters, LogPlace, cursor, line, place, rates
from services.gateway.domain.inbox import reader
from services.gateway.entrypoints.caller import Caller, forbidden
from services.gateway.entrypoints.json_body import json_answer, object_of
from services.gateway.store_ports import AdminStore

_PREFIXES = ("/api/v1/admin/notifications", "/admin/notifications")
_PASSED = ("authorization", "traceparent", "idempotency-key")
_MAX_BYTES = 64 * 1024
_LONGEST = timedelta(days=31)
_Text = Annotated[str | None, Field(max_length=200, pattern=r"^[^\x00]*$")]


class LogQuery(BaseModel):
    """The query of the log."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(max_length=500)] = None
    user: Annotated[_Text, Field(alias="userId")] = None
    event: EventName | None = None
    type: _Text = None
    since: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to")] = None

    def after(self) -> LogPlace | None:
        """The line after which to begin. Raises Problem 422."""
        found = None if self.cursor is None else place(self.cursor)
        if self.cursor is not None and found is None:
            raise Problem(422, "invalid-request", "cursor: it is not a cursor of this log")
        return found


class Period(BaseModel):
    """From when to when; the last day by default."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to")] = None


class Administration:
    """The routes' parts: who may, what there is to see, and the way to ingest."""

    def __init__(
        self,
        store: AdminStore,
        caller: Caller,
        admin_roles: frozenset[str],
        payload_roles: frozenset[str],
        ingest: httpx.AsyncClient,
        health: Callable[[], dict[str, Any]],
        catalogue_of: Callable[[str], Catalogue],
        clock: Clock,
    ) -> None:
        self._store, self._caller, self._ingest = store, caller, ingest
        self._admin_roles, self._payload_roles = admin_roles, payload_roles
        self._health, self._catalogue_of, self._clock = health, catalogue_of, clock

    def routers(self) -> list[APIRouter]:
        """All routes."""
        allowed = Depends(self._administrator)
        routes = APIRouter(tags=["admin"])
        for prefix in _PREFIXES:
            for path, endpoint in (("/logs", self._logs(allowed)), ("/stats", self._stats(allowed))):
                routes.add_api_route(prefix + path, endpoint, methods=["GET"])
            routes.add_api_route(prefix + "/health", self._healthy(allowed), methods=["GET"])
            routes.add_api_route(prefix + "/broadcast", self._broadcast(allowed), methods=["POST"], status_code=202)
        readers = "/api/v1/notifications/{notification}/readers"
        routes.add_api_route(readers, self._readers(allowed), methods=["GET"])
        return [routes]

    async def _administrator(self, request: Request) -> Identity:
        identity = await self._caller(request)
        if not self._admin_roles & set(identity.roles):
            raise forbidden(identity, "not-an-administrator", "only administrators of the tenant may do this")
        return identity

    def _logs(self, allowed: Any) -> Any:
        async def logs(query: Annotated[LogQuery, Query()], identity: Identity = allowed) -> Response:
            """A line for each notification and room, newest first. Payloads only for who may see them (S18)."""
            filters = LogFilters(query.user, query.event, query.type, query.since, query.until)
            rows = await self._store.log(reader(identity), filters, query.after(), query.limit + 1)
            shown, payload = rows[: query.limit], bool(self._payload_roles & set(identity.roles))
            last = shown[-1] if len(rows) > query.limit else None
            after = None if last is None else cursor(LogPlace(last["created_at"], last["notification"], last["n"]))
            catalogue = self._catalogue_of(identity.tenant)
            known = ((row, catalogue.get(row["type"])) for row in shown)
            lines = [line(row, with_payload=payload, sensitive=kind.sensitive if kind else ()) for row, kind in known]
            return json_answer({"items": lines, "nextCursor": after})

        return logs

    def _stats(self, allowed: Any) -> Any:
        async def stats(query: Annotated[Period, Query()], identity: Identity = allowed) -> Response:
            """How much was sent, delivered and read, and what went wrong (F2-7)."""
            until = query.until or self._clock()
            since = query.since or until - timedelta(days=1)
            if not since <= until <= since + _LONGEST:
                raise Problem(422, "invalid-request", f"from, to: at most {_LONGEST.days} days")
            figures = rates(await self._store.stats(reader(identity), since, until))
            return json_answer({"from": iso(since), "to": iso(until)} | figures | {"gateway": self._health()})

        return stats

    def _healthy(self, allowed: Any) -> Any:
        async def health(identity: Identity = allowed) -> Response:
            """How this gateway is: sockets, streams, limits, presence, memory."""
            del identity
            return json_answer(self._health())

        return health

    def _readers(self, allowed: Any) -> Any:
        async def readers(
            notification: UUID,
            after: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")] = "",
            limit: Annotated[int, Query(ge=1, le=500)] = 100,
            identity: Identity = allowed,
        ) -> Response:
            """Who has read a notification, by user id; `next` is what to give as `after`."""
            rows = await self._store.readers(reader(identity), notification, after, limit + 1)
            items = [
                {"userId": row["user_id"], "readAt": row["read_at"] and iso(row["read_at"])} for row in rows[:limit]
            ]
            return json_answer({"items": items, "next": items[-1]["userId"] if len(rows) > limit else None})

        return readers

    def _broadcast(self, allowed: Any) -> Any:
        async def broadcast(request: Request, identity: Identity = allowed) -> Response:
            """Sends an announcement to everybody in the tenant (S14): ingest takes it as any direct send."""
            del identity
            body = await object_of(request, _MAX_BYTES) | {"recipients": {"broadcast": True}}
            headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
            headers["content-type"] = "application/json"
            try:
                answer = await self._ingest.post("/api/v1/notifications", content=orjson.dumps(body), headers=headers)
            except httpx.TransportError as error:
                again = {"Retry-After": "2"}
                raise Problem(503, "unavailable", "ingest is away, please try again", headers=again) from error
            kept = {name: answer.headers[name] for name in ("content-type", "retry-after") if name in answer.headers}
            return Response(answer.content, answer.status_code, kept)

        return broadcast
