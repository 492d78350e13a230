"""`/api/v1/directory/…`: users, organisations, memberships and devices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from libs.http.body import read_json_body
from libs.http.problems import Problem
from libs.schemas.events import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from services.ingest.domain import refusals
from services.ingest.domain.access import Principal
from services.ingest.domain.directory import Change, Kind, Subject, read
from services.ingest.domain.refusals import Refused
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.answers import refused_problem, status_of
from services.ingest.entrypoints.http.bodies import document_of
from services.ingest.handlers.access import Access
from services.ingest.handlers.directory import DirectoryChanges
from services.ingest.ports.administering import DirectoryReads

_JSON = "application/json"
_ROAD = "http"
_TENANT = {"name": "tenant", "in": "query", "schema": {"type": "string"}, "description": "your own by default"}
_READ = openapi.problems(401, 403, 503)
_REMOVED = {204: {"description": "Removed"}}
_WRITE = openapi.problems(400, 401, 403, 413, 415, 422, 503)


class _Place(NamedTuple):
    """Where entries of a kind live. `ids` are the parts of the path and the fields that they fill."""

    kind: Kind
    model: str
    path: str
    ids: tuple[tuple[str, str], ...]


_PLACES = (
    _Place("user", "User", "/users/{user_id}", (("user_id", "id"),)),
    _Place("org", "Org", "/orgs/{org_id}", (("org_id", "id"),)),
    _Place("membership", "Membership", "/memberships/{org_id}/{user_id}", (("org_id", "orgId"), ("user_id", "userId"))),
    _Place("device", "Device", "/devices/{user_id}/{device_id}", (("user_id", "userId"), ("device_id", "id"))),
)


Endpoint = Callable[..., Awaitable[Response]]


def router(access: Access, changes: DirectoryChanges, reader: DirectoryReads) -> APIRouter:
    """PUT, GET and DELETE for each kind, and what goes beyond single entries."""
    routes = APIRouter(prefix="/api/v1/directory", tags=["directory"])
    reading = Depends(caller.required(access, "directory:read"))
    writing = Depends(caller.required(access, "directory:write"))
    for place in _PLACES:
        _add(routes, "PUT", place, _put(place, changes, writing), openapi.body(place.model), _WRITE)
        _add(routes, "GET", place, _get(place, reader, reading), {}, _READ)
        _add(routes, "DELETE", place, _delete(place, changes, writing), {}, _READ | _REMOVED)
    described: dict[str, Any] = {"openapi_extra": {"parameters": [_TENANT]}, "responses": _READ}
    routes.add_api_route("/users/{user_id}/devices", _devices(reader, reading), **described)
    bulk: dict[str, Any] = {
        "openapi_extra": openapi.body("DirectoryEntries") | {"parameters": [_TENANT]},
        "responses": _WRITE,
    }
    routes.add_api_route("/bulk", _bulk(changes, writing), methods=["POST"], **bulk)
    return routes


def _add(
    routes: APIRouter, method: str, place: _Place, endpoint: Endpoint, body: dict[str, Any], responses: dict[Any, Any]
) -> None:
    described = {"parameters": [*_path_parameters(place), _TENANT]} | body
    name = f"{method.lower()}_{place.kind}"
    routes.add_api_route(
        place.path, endpoint, methods=[method], name=name, openapi_extra=described, responses=responses
    )


def _put(place: _Place, changes: DirectoryChanges, allowed: Any) -> Endpoint:
    async def put_entry(request: Request, principal: Principal = allowed) -> Response:
        """Writes the entry as a whole: what it does not name is left out from now on."""
        subject = _subject(request, principal, place)
        document = document_of(await read_json_body(request, MAX_EVENT_BYTES))
        change = read(_with_path(document, place, subject), subject.tenant)
        if isinstance(change, Refused):
            raise refused_problem(change)
        await changes.apply([change], road=_ROAD, actor=principal.actor)
        return Response(orjson.dumps(_shown(change)), media_type=_JSON)

    return put_entry


def _get(place: _Place, reader: DirectoryReads, allowed: Any) -> Endpoint:
    async def get_entry(request: Request, principal: Principal = allowed) -> Response:
        """The entry, with what follows from it."""
        found = await reader.find(_subject(request, principal, place))
        if found is None:
            raise Problem(404, "not-found", f"there is no such {place.kind}")
        return Response(orjson.dumps(found), media_type=_JSON)

    return get_entry


def _delete(place: _Place, changes: DirectoryChanges, allowed: Any) -> Endpoint:
    async def delete_entry(request: Request, principal: Principal = allowed) -> Response:
        """Removes the entry, if it is there, and the memberships that follow from it."""
        change = Change(_subject(request, principal, place), None)
        await changes.apply([change], road=_ROAD, actor=principal.actor)
        return Response(status_code=204)

    return delete_entry


def _devices(reader: DirectoryReads, allowed: Any) -> Endpoint:
    async def devices_of_user(request: Request, user_id: str, principal: Principal = allowed) -> Response:
        """A person's devices."""
        tenant = caller.tenant_of(request, principal, request.query_params.get("tenant"))
        return Response(orjson.dumps({"devices": await reader.devices(tenant, user_id)}), media_type=_JSON)

    return devices_of_user


def _bulk(changes: DirectoryChanges, allowed: Any) -> Endpoint:
    async def write_entries(request: Request, principal: Principal = allowed) -> Response:
        """Writes up to 1,000 entries of all kinds; each has its own result."""
        tenant = caller.tenant_of(request, principal, request.query_params.get("tenant"))
        entries = _entries(document_of(await read_json_body(request, MAX_BATCH_BYTES)))
        found = [read(entry, tenant) for entry in entries]
        written = [change for change in found if isinstance(change, Change)]
        await changes.apply(written, road=_ROAD, actor=principal.actor)
        results = [_result(change) for change in found]
        body: dict[str, Any] = {"written": len(written), "refused": len(found) - len(written), "results": results}
        if found and not written:
            raise Problem(422, "all-refused", f"none of {len(found)} entries was written", **body)
        return Response(orjson.dumps(body), media_type=_JSON)

    return write_entries


def _subject(request: Request, principal: Principal, place: _Place) -> Subject:
    tenant = caller.tenant_of(request, principal, request.query_params.get("tenant"))
    return Subject(tenant, place.kind, tuple(request.path_params[part] for part, _ in place.ids))


def _with_path(document: Any, place: _Place, subject: Subject) -> Any:
    """The ids stand in the path; in the body they may be left out, but not differ."""
    if not isinstance(document, dict):
        return document
    told = {"kind": place.kind} | {field: part for (_, field), part in zip(place.ids, subject.id, strict=True)}
    for field, value in told.items():
        if document.get(field, value) != value:
            raise refused_problem(Refused(refusals.INVALID_FIELD, "the path says otherwise", field))
    return document | told


def _entries(document: Any) -> list[Any]:
    entries = document.get("entries") if isinstance(document, dict) else document
    if not isinstance(entries, list) or len(entries) > MAX_BATCH_EVENTS:
        reason = f"a list of at most {MAX_BATCH_EVENTS} entries was expected"
        raise refused_problem(Refused(refusals.NOT_A_LIST, reason, "entries"))
    return entries


def _result(change: Change | Refused) -> dict[str, Any]:
    if isinstance(change, Change):
        return {"status": 200, "subject": str(change.subject)}
    problem = {"code": change.code, "detail": change.reason, "field": change.field}
    return {"status": status_of(change), "problem": problem}


def _shown(change: Change) -> dict[str, Any]:
    assert change.entry is not None
    return change.entry.model_dump(mode="json", by_alias=True)


def _path_parameters(place: _Place) -> list[dict[str, Any]]:
    return [{"name": part, "in": "path", "required": True, "schema": {"type": "string"}} for part, _ in place.ids]
