"""Who calls the HTTP routes: the bearer of a JWT. Refusals are logged and counted (F2-4)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from libs.auth.tokens import Identity, InvalidToken, verify
from libs.http.problems import Problem
from libs.runtime.logging import get_logger
from services.gateway import metrics

log = get_logger(__name__)

Caller = Callable[[Request], Identity]


def bearer(secret: str) -> Caller:
    """A dependency: the identity of the request's token. Raises Problem 401."""

    def caller(request: Request) -> Identity:
        given = request.headers.get("authorization")
        if not given:
            raise _turned_away("no-credential", "an Authorization header with a bearer token is needed")
        try:
            return verify(given, secret)
        except InvalidToken as error:
            code = "expired-token" if error.expired else "invalid-token"
            raise _turned_away(code, str(error)) from None

    return caller


def forbidden(identity: Identity, code: str, detail: str) -> Problem:
    """A caller asks for what they may not do."""
    metrics.UNAUTHORIZED.labels("http", code).inc()
    log.warning("unauthorized", door="http", reason=code, tenant_id=identity.tenant, user_id=identity.reader)
    return Problem(403, code, detail)


def _turned_away(code: str, detail: str) -> Problem:
    metrics.UNAUTHORIZED.labels("http", code).inc()
    log.warning("unauthorized", door="http", reason=code)
    return Problem(401, code, detail, headers={"WWW-Authenticate": "Bearer"})
