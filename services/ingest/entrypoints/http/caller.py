"""Who calls, as a dependency of every route; calls turned away are logged and counted (F2-4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request

from libs.http.problems import Problem
from libs.runtime.logging import get_logger
from services.ingest.domain.access import Denied, Principal, Scope
from services.ingest.handlers.access import Access
from services.ingest.metrics import UNAUTHORISED

_log = get_logger(__name__)


def required(access: Access, scope: Scope) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency that returns the caller, who has the scope. Raises Problem: 401 or 403."""

    async def caller(request: Request) -> Principal:
        headers = request.headers
        found = await access.principal(headers.get("authorization"), headers.get("x-api-key"))
        if isinstance(found, Denied):
            raise _turned_away(request, found, None)
        if not found.may(scope):
            raise _turned_away(request, Denied(403, "missing-scope", f"the scope {scope} is needed"), found)
        return found

    return caller


def tenant_of(request: Request, principal: Principal, named: str | None) -> str:
    """The tenant that a call is about: the one named, if the caller may, else the caller's own."""
    tenant = named or principal.tenant
    if not principal.may_name(tenant):
        raise _turned_away(request, Denied(403, "tenant-not-allowed", "you may not act for this tenant"), principal)
    return tenant


def platform_only(request: Request, principal: Principal) -> None:
    """Raises Problem 403 for callers of a single tenant."""
    if not principal.is_platform:
        raise _turned_away(request, Denied(403, "not-the-platform", "only a platform key may do this"), principal)


def _turned_away(request: Request, denied: Denied, principal: Principal | None) -> Problem:
    UNAUTHORISED.labels(denied.reason).inc()
    who = {"actor": principal.actor, "tenant_id": principal.tenant} if principal is not None else {}
    address = request.client.host if request.client is not None else None
    _log.warning("call_turned_away", errors=denied.reason, path=request.url.path, address=address, **who)
    headers = {"WWW-Authenticate": 'Bearer realm="carillon"'} if denied.status == 401 else {}
    return Problem(denied.status, denied.reason, denied.detail, headers=headers)
