"""Preferences over HTTP: a person reads and writes their own, administrators read those of others (F2-2), and write
what their tenant decides for everybody.

Writing names the version that it changes, by `If-Match` or `version` in the body, so that nothing unseen is lost; with
neither it changes whatever is in force.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from libs.auth.tokens import Identity
from libs.http.problems import Problem, field_errors
from libs.runtime.clock import iso
from libs.schemas.preferences import FlatPreferences, Preferences, TenantPreferences
from services.gateway.entrypoints.caller import Caller, forbidden
from services.gateway.entrypoints.json_body import body_of, json_answer, object_of
from services.gateway.handlers.preferences import PreferencesDesk, TenantDesk
from services.gateway.store_ports import Version

_MAX_BYTES = 256 * 1024
_TRIES = 5  # at a version that others write at the same time

D = TypeVar("D", bound=BaseModel)
#: The document after a change, given the one before and what the caller sent.
Change = Callable[[D, dict[str, Any]], D]
IfMatch = Annotated[str | None, Header(description="the ETag of the version that is changed")]


class Desk(Protocol[D]):
    """Documents by version."""

    async def current(self, tenant: str, user: str, /) -> Version[D]:
        """The version in force."""
        ...

    async def replace(self, identity: Identity, document: D, expected: int) -> Version[D] | None:
        """Puts a new version in force; None when the one in force is not the `expected`."""
        ...


def router(
    desk: PreferencesDesk, caller: Caller, admin_roles: frozenset[str], key_of: Callable[[str, str], str]
) -> APIRouter:
    """`/api/v1/preferences`, the same at the path of 002, and in the names of 003 under `/flat`."""
    routes = APIRouter(tags=["preferences"])
    for prefix in ("/api/v1/preferences", "/api/v1/notifications/preferences"):
        _own(routes, prefix, desk, caller)
        _flat(routes, prefix + "/flat", desk, caller, key_of)
        _of_others(routes, prefix + "/{user}", desk, caller, admin_roles)
    return routes


def of_tenant(desk: TenantDesk, caller: Caller, admin_roles: frozenset[str]) -> APIRouter:
    """`/api/v1/tenant/preferences`, for administrators of the token's tenant."""
    routes, path = APIRouter(tags=["admin"]), "/api/v1/tenant/preferences"

    async def administrator(identity: Identity = Depends(caller)) -> Identity:
        if not admin_roles & set(identity.roles):
            raise forbidden(identity, "not-an-administrator", "only administrators of the tenant may do this")
        return identity

    who = Depends(administrator)

    async def read_defaults(request: Request, identity: Identity = who) -> Response:
        """What the tenant decides for its people where they have not."""
        return _unless_known(request, await desk.current(identity.tenant, identity.reader), _shown)

    async def write_defaults(request: Request, if_match: IfMatch = None, identity: Identity = who) -> Response:
        """Puts another document in its place."""
        wanted = await object_of(request, _MAX_BYTES)
        return _answer(await _write(desk, identity, wanted, if_match, _replaced), _shown)

    async def change_defaults(request: Request, if_match: IfMatch = None, identity: Identity = who) -> Response:
        """Changes members of it (RFC 7396: null removes one)."""
        wanted = await object_of(request, _MAX_BYTES)
        return _answer(await _write(desk, identity, wanted, if_match, _merged), _shown)

    routes.add_api_route(path, read_defaults, methods=["GET"])
    routes.add_api_route(path, write_defaults, methods=["PUT"], openapi_extra=body_of(TenantPreferences))
    routes.add_api_route(path, change_defaults, methods=["PATCH"], openapi_extra=body_of(TenantPreferences))
    return routes


def _own(routes: APIRouter, path: str, desk: PreferencesDesk, caller: Caller) -> None:
    who = Depends(caller)

    async def read_preferences(request: Request, identity: Identity = who) -> Response:
        """The caller's preferences; version 0 before they were ever set."""
        return _unless_known(request, await desk.current(identity.tenant, identity.reader), _document)

    async def write_preferences(request: Request, if_match: IfMatch = None, identity: Identity = who) -> Response:
        """Replaces the caller's preferences by a new version."""
        return _answer(
            await _write(desk, identity, await object_of(request, _MAX_BYTES), if_match, _replaced), _document
        )

    async def change_preferences(request: Request, if_match: IfMatch = None, identity: Identity = who) -> Response:
        """Changes members of the caller's preferences (RFC 7396: null removes one)."""
        return _answer(await _write(desk, identity, await object_of(request, _MAX_BYTES), if_match, _merged), _document)

    routes.add_api_route(path, read_preferences, methods=["GET"])
    routes.add_api_route(path, write_preferences, methods=["PUT"], openapi_extra=body_of(Preferences))
    routes.add_api_route(path, change_preferences, methods=["PATCH"], openapi_extra=body_of(Preferences))


def _flat(
    routes: APIRouter, path: str, desk: PreferencesDesk, caller: Caller, key_of: Callable[[str, str], str]
) -> None:
    who = Depends(caller)

    async def read_flat(request: Request, identity: Identity = who) -> Response:
        """The caller's preferences as a row of switches."""
        return _unless_known(request, await desk.current(identity.tenant, identity.reader), _flat_document)

    async def write_flat(request: Request, if_match: IfMatch = None, identity: Identity = who) -> Response:
        """Sets the switches that are named; what the row cannot say stays as it was."""

        def applied(before: Preferences, wanted: dict[str, Any]) -> Preferences:
            return FlatPreferences.model_validate(wanted).applied_to(before, partial(key_of, identity.tenant))

        return _answer(
            await _write(desk, identity, await object_of(request, _MAX_BYTES), if_match, applied), _flat_document
        )

    routes.add_api_route(path, read_flat, methods=["GET"])
    for method in ("PUT", "PATCH"):
        routes.add_api_route(path, write_flat, methods=[method], openapi_extra=body_of(FlatPreferences))


def _of_others(
    routes: APIRouter, path: str, desk: PreferencesDesk, caller: Caller, admin_roles: frozenset[str]
) -> None:
    who = Depends(caller)

    async def read_of(user: str, request: Request, identity: Identity = who) -> Response:
        """A person's preferences, for themselves and for administrators of the tenant."""
        if user != identity.reader and not admin_roles & set(identity.roles):
            raise forbidden(identity, "not-an-administrator", "only administrators read the preferences of others")
        return _unless_known(request, await desk.current(identity.tenant, user), _document)

    async def write_of(user: str, request: Request, if_match: IfMatch = None, identity: Identity = who) -> Response:
        """Nobody writes the preferences of another person."""
        if user != identity.reader:
            raise forbidden(identity, "not-your-own", "a person's preferences are written by themselves alone")
        change = _merged if request.method == "PATCH" else _replaced
        return _answer(await _write(desk, identity, await object_of(request, _MAX_BYTES), if_match, change), _document)

    routes.add_api_route(path, read_of, methods=["GET"])
    for method in ("PUT", "PATCH"):
        routes.add_api_route(path, write_of, methods=[method], openapi_extra=body_of(Preferences))


async def _write(
    desk: Desk[D], identity: Identity, wanted: dict[str, Any], if_match: str | None, change: Change[D]
) -> Version[D]:
    expected = _expected(if_match, wanted.pop("version", None))
    for _ in range(_TRIES):
        before = await desk.current(identity.tenant, identity.reader)
        if expected is not None and expected != before.number:
            break
        made = await desk.replace(identity, _changed(change, before.document, wanted), before.number)
        if made is not None:
            return made
    status = 412 if if_match is not None else 409
    raise Problem(status, "version-conflict", "the preferences have changed since that version was read")


def _changed(change: Change[D], before: D, wanted: dict[str, Any]) -> D:
    try:
        return change(before, wanted)
    except ValidationError as error:
        errors = field_errors(error.errors())
        raise Problem(422, "invalid-request", f"{errors[0]['field']}: {errors[0]['message']}", errors=errors) from None


def _replaced(before: D, wanted: dict[str, Any]) -> D:
    return type(before).model_validate(wanted)


def _merged(before: D, patch: dict[str, Any]) -> D:
    return type(before).model_validate(_patched(_shown(before), patch))


def _patched(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _patched(merged.get(name), value)
    return merged


def _expected(if_match: str | None, version: Any) -> int | None:
    """The version that the caller has seen; -1 where it is none of ours."""
    if if_match is None or if_match.strip() == "*":
        return version if isinstance(version, int) else None
    text = if_match.strip().removeprefix("W/").strip('"')
    return int(text) if text.isdecimal() and len(text) < 19 else -1


def _document(document: Preferences) -> dict[str, Any]:
    return {"channels": {}, "types": {}} | _shown(document)


def _shown(document: BaseModel) -> dict[str, Any]:
    return document.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _flat_document(document: Preferences) -> dict[str, Any]:
    return FlatPreferences.of(document).model_dump(mode="json", by_alias=True)


def _answer(found: Version[D], shape: Callable[[D], dict[str, Any]]) -> Response:
    since = None if found.since is None else iso(found.since)
    body = shape(found.document) | {"version": found.number, "updatedAt": since}
    return json_answer(body, headers={"ETag": f'"{found.number}"', "Cache-Control": "private, no-cache"})


def _unless_known(request: Request, found: Version[D], shape: Callable[[D], dict[str, Any]]) -> Response:
    answer = _answer(found, shape)
    if request.headers.get("if-none-match") == answer.headers["etag"]:
        return Response(status_code=304, headers={"ETag": answer.headers["etag"]})
    return answer
