"""The way to ingest: the gateway is the one public origin, and hands the write and admin routes on (S2). No logic."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from libs.http.problems import Problem
from services.gateway import metrics

_ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
#: What is handed on, and nothing else.
ALLOWED: tuple[tuple[str, list[str]], ...] = (
    ("/api/v1/events", _ANY),
    ("/api/v1/events/{rest:path}", _ANY),
    ("/api/v1/notifications", ["POST"]),
    ("/api/v1/notifications/send", ["POST"]),
    ("/notifications/send", ["POST"]),
    ("/api/v1/notifications/{id}/status", ["GET"]),
    ("/api/v1/notifications/{id}/cancel", ["POST"]),
    ("/api/v1/directory/{rest:path}", _ANY),
    ("/api/v1/notifications/{id}/timeline", ["GET"]),
    ("/api/v1/notifications/{id}/explanation", ["GET"]),
    ("/api/v1/asyncapi.json", ["GET"]),
    ("/api/v1/suppressions", _ANY),
    ("/api/v1/suppressions/{rest:path}", _ANY),
    ("/api/v1/endpoints", _ANY),
    ("/api/v1/endpoints/{rest:path}", _ANY),
    ("/api/v1/callbacks/{rest:path}", ["POST"]),
    ("/api/v1/unsubscribe/{token}", ["GET", "POST"]),
    ("/api/v1/opens/{token}", ["GET"]),
    ("/api/v1/ephemerals", ["POST"]),
    ("/api/v1/resource-policies", _ANY),
    ("/api/v1/resource-policies/{rest:path}", _ANY),
    ("/api/v1/catalogue/{rest:path}", _ANY),
    ("/api/v1/keys", _ANY),
    ("/api/v1/keys/{rest:path}", _ANY),
)
# RFC 9110 §7.6.1: these concern one connection; and the client knows better what host and length it sends.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
     "upgrade", "proxy-connection", "host"}
)  # fmt: skip
_RETRY_AFTER = "2"


def create_client(ingest_url: str) -> httpx.AsyncClient:
    """The client to ingest; environment proxies are not for it."""
    timeout = httpx.Timeout(30.0, connect=2.0)
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
    return httpx.AsyncClient(base_url=ingest_url, timeout=timeout, limits=limits, trust_env=False)


def routes(client: httpx.AsyncClient) -> list[Route]:
    """One route for everything that is allowed."""

    async def forward(request: Request) -> Response:
        if ".." in request.url.path.split("/"):
            raise Problem(404, "not-found", "there is nothing here")
        try:
            answer = await client.send(_request(client, request), stream=True)
        except httpx.TransportError as error:
            metrics.FORWARDED.labels("away").inc()
            raise Problem(
                503, "unavailable", "ingest is away, please try again", headers={"Retry-After": _RETRY_AFTER}
            ) from error
        metrics.FORWARDED.labels(str(answer.status_code)).inc()
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        response.raw_headers = _passed_on(answer.headers.raw)
        return response

    return [Route(path, forward, methods=methods) for path, methods in ALLOWED]


def _request(client: httpx.AsyncClient, request: Request) -> httpx.Request:
    target = request.scope["raw_path"] + (b"?" + query if (query := request.scope["query_string"]) else b"")
    headers = _passed_on(request.headers.raw)
    if request.client is not None:
        headers.append((b"x-forwarded-for", request.client.host.encode()))
    url = client.base_url.copy_with(raw_path=target)
    return client.build_request(request.method, url, headers=headers, content=_body(request))


def _body(request: Request) -> AsyncIterator[bytes] | None:
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    return request.stream() if has_body else None


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers if name.lower().decode() not in _HOP_BY_HOP]
