"""The way to ingest: what is allowed is handed on as it is, the rest is not, and absence is said (S2)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.layout import Layout, counts
from devstack.ports import free_port
from devstack.services import Services
from libs.http.server import serving
from tests.integration.gateway.clients import token
from tests.integration.gateway.conftest import ENVIRONMENT

pytestmark = pytest.mark.covers("S2")


async def echo(request: Request) -> Response:
    """Stands in for ingest: says what it was asked."""
    body = await request.body()
    said = {"method": request.method, "path": request.url.path, "query": request.url.query, "size": len(body)}
    headers = {"x-said": request.headers.get("x-asked", ""), "traceparent": request.headers.get("traceparent", "")}
    return JSONResponse(said, 202, headers=headers)


INGEST = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])


@pytest.fixture
async def ports(start_services: Callable[[Layout], Services]) -> tuple[str, int]:
    """The gateway's address, and the port where it looks for ingest."""
    port = free_port()
    layout = Layout(
        counts=counts(ingests=0, routers=0, deliveries=0),
        environment=ENVIRONMENT | {"CARILLON_INGEST_URL": f"http://127.0.0.1:{port}"},
    )
    services = await asyncio.to_thread(start_services, layout)
    return services.url("gateway"), port


async def test_routes_to_ingest(ports: tuple[str, int]) -> None:
    url, port = ports
    async with httpx.AsyncClient(base_url=url) as http:
        away = await http.post("/api/v1/events", json={})
        assert away.status_code == 503
        assert away.json()["code"] == "unavailable"
        assert int(away.headers["retry-after"]) >= 1
        async with serving(INGEST, "127.0.0.1", port):
            await _is_handed_on(http)
            await _is_not_handed_on(http)
        assert (await http.post("/api/v1/events", json={})).status_code == 503


async def _is_handed_on(http: httpx.AsyncClient) -> None:
    for method, path in (
        ("POST", "/api/v1/events"),
        ("POST", "/api/v1/events/batch"),
        ("POST", "/api/v1/notifications"),
        ("POST", "/notifications/send"),
        ("POST", "/api/v1/notifications/send"),
        ("GET", "/api/v1/notifications/7/status"),
        ("PUT", "/api/v1/directory/users/u%2F1"),
        ("DELETE", "/api/v1/keys/1"),
        ("GET", "/api/v1/keys"),
    ):
        asked: dict[str, Any] = {"content": b"x" * 70_000} if method in ("POST", "PUT") else {}
        headers = {"x-asked": "this", "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"}
        answer = await http.request(method, path, params={"a": "b c"}, headers=headers, **asked)
        assert answer.status_code == 202, path
        expected = {"method": method, "path": path.replace("%2F", "/"), "query": "a=b+c"}
        assert answer.json() == expected | {"size": 70_000 if asked else 0}
        assert answer.headers["x-said"] == "this"
        assert answer.headers["traceparent"] == headers["traceparent"]


async def _is_not_handed_on(http: httpx.AsyncClient) -> None:
    for method, path in (
        ("GET", "/metrics/x"),
        ("GET", "/notifications/send"),
        ("POST", "/api/v1/other"),
        ("POST", "/api/v1/directoryx/users"),
    ):
        assert (await http.request(method, path)).status_code in (404, 405), path
    # Clients tidy such paths up by themselves; an attacker does not.
    assert b" 404 " in await asyncio.to_thread(_raw, http, b"GET /api/v1/events/../../metrics HTTP/1.1")
    own = await http.get("/api/v1/notifications", headers={"Authorization": f"Bearer {token('u')}"})
    assert own.json() == {"items": [], "nextCursor": None}


def _raw(http: httpx.AsyncClient, request: bytes) -> bytes:
    with socket.create_connection((http.base_url.host, http.base_url.port or 80), timeout=5) as connection:
        connection.sendall(request + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.recv(4096)
