"""Who calls the HTTP routes: the bearer of a JWT. Refusals are logged and counted (F2-4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request

from libs.auth.tokens import Identity
from libs.http.problems import Problem
from libs.runtime.logging import get_logger
from services.gateway import metrics
from services.gateway.errors import Unauthorized
from services.gateway.handlers.credentials import Credentials

log = get_logger(__name__)

Caller = Callable[[Request], Awaitable[Identity]]


def bearer(credentials: Credentials) -> Caller:
    """A dependency: the identity of the request's token. Raises Problem 401 and Retryable."""

    async def caller(request: Request) -> Identity:
        try:
            return await credentials.identify(request.headers.get("authorization"), "http")
        except Unauthorized as error:
            raise Problem(401, error.code, str(error), headers={"WWW-Authenticate": "Bearer"}) from None

    return caller


def forbidden(identity: Identity, code: str, detail: str) -> Problem:
    """A caller asks for what they may not do."""
    metrics.UNAUTHORIZED.labels("http", code).inc()
    log.warning("unauthorized", door="http", reason=code, tenant_id=identity.tenant, user_id=identity.reader)
    return Problem(403, code, detail)
