"""`GET /notifications/sse`: the same as on a socket, as server-sent events with a position to come back to (F4-3)."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from libs.http.problems import Problem
from services.gateway.adapters.event_streams import KIND, EventStreams
from services.gateway.domain.addresses import Network, client_address
from services.gateway.domain.dialects.dialect import Dialect
from services.gateway.domain.entrance import Arrival, Entrance, Limited, Refused
from services.gateway.domain.event_stream import position_of
from services.gateway.domain.resume import on_the_wire
from services.gateway.domain.resume import position as checked
from services.gateway.handlers.door import Door

_DEFAULT = "/ws/notifications"  # the dialect of the document that describes the stream
_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_TEST_SID = "test"
_RETRY_AFTER = 60.0  # seconds, where others have to go first


class _Streaming(StreamingResponse):
    """A response that says when it is over, however it ended."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[bytes], over: Callable[[], None]) -> None:
        super().__init__(frames, headers=_HEADERS)
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over()


def router(
    streams: EventStreams, door: Door, dialects: Mapping[str, Dialect], trusted: Sequence[Network], *, test: bool
) -> APIRouter:
    """The stream, and with `test` one of test frames for which nobody needs a token."""
    routes = APIRouter(prefix="/notifications/sse", tags=["sse"])

    async def stream(
        request: Request,
        token: Annotated[str | None, Query(description="instead of the Authorization header")] = None,
        dialect: Annotated[str, Query(description="the namespace whose names and shapes are spoken")] = _DEFAULT,
        ack: Annotated[bool, Query(description="repeat what the person does nothing with")] = False,
        last_event_id: Annotated[str | None, Header()] = None,
        last: Annotated[str | None, Query(alias="lastEventId", description="instead of the header")] = None,
    ) -> Response:
        """Named events in the dialect's shapes; the id of each is where to go on from."""
        spoken = dialects.get(dialect)
        if spoken is None:
            raise Problem(422, "invalid-request", f"dialect: one of {', '.join(dialects)}")
        sid, headers = secrets.token_urlsafe(12), request.headers
        peer = "" if request.client is None else request.client.host
        address = client_address(peer, headers.get("x-forwarded-for"), trusted)
        arrival = Arrival(KIND + dialect, spoken, sid, sid, address, ack)
        position = position_of(last_event_id or last)
        entrance = await door.enter(arrival, headers.get("authorization") or token, position)
        if isinstance(entrance, Refused):
            code = "expired-token" if entrance.expired else "invalid-token"
            raise Problem(401, code, "a valid token is needed", headers={"WWW-Authenticate": "Bearer"})
        if isinstance(entrance, Limited):
            after = ceil(entrance.fault.retry_after or _RETRY_AFTER)
            raise Problem(429, "rate-limited", entrance.fault.message, headers={"Retry-After": str(after)})
        return _opened(streams, door, arrival, entrance, position)

    async def test_stream() -> Response:
        """`connected`, then a heartbeat now and then: whether streams reach you at all."""
        sid = f"{_TEST_SID}:{secrets.token_urlsafe(12)}"
        frames = streams.frames(streams.opened(sid, {}))
        streams.emit(KIND, [sid], "connected", {"test": True})
        streams.emit(KIND, [sid], "test", {"title": "Test", "message": "This stream carries test frames only"})
        return _Streaming(frames, lambda: streams.closed(sid))

    routes.add_api_route("", stream, methods=["GET"], status_code=200, response_class=_Streaming)
    if test:
        routes.add_api_route("/test", test_stream, methods=["GET"], status_code=200, response_class=_Streaming)
    return routes


def _opened(
    streams: EventStreams, door: Door, arrival: Arrival, entrance: Entrance, position: object
) -> StreamingResponse:
    """Also for whom cannot be served now: a browser comes back only from a stream that ends, not from a 503."""
    opened = streams.opened(arrival.sid, on_the_wire(checked(position) or {}))
    door.greet(arrival, entrance)

    def over() -> None:
        streams.closed(arrival.sid)
        door.leave(arrival.sid)

    return _Streaming(streams.frames(opened), over)
