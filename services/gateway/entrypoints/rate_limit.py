"""How often each person may call: a caller over their quota is answered 429, everybody is told how much is left."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.auth.tokens import Identity
from libs.http.problems import Problem
from libs.http.quotas import Quotas
from libs.runtime.quota import Quota
from services.gateway import metrics
from services.gateway.entrypoints.caller import Caller

_FIELDS = "rate_limit"


def limited(caller: Caller, per_second: float, burst: int) -> Caller:
    """A dependency like `caller` that takes one call of the identity's quota. Raises Problem 429."""
    quotas = Quotas(Quota("calls", "calls", per_second, burst) if per_second else None)

    async def within(request: Request) -> Identity:
        identity = await caller(request)
        try:
            request.scope[_FIELDS] = quotas.take(f"{identity.tenant} {identity.reader}")
        except Problem:
            metrics.LIMITED.labels("calls").inc()
            raise
        return identity

    return within


class RateLimitFields:
    """Adds to an answer what is left of the caller's quota."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Anything but HTTP passes as it is."""

        async def told(message: Message) -> None:
            fields = scope.get(_FIELDS)
            if fields and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(fields)
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "http" else send)
