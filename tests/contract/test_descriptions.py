"""What describes the HTTP routes is true of a running gateway: OpenAPI's document and the Postman collection (F4-4)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Match, Route

from services.gateway.entrypoints.forwarding import ALLOWED
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.http import bearer

pytestmark = pytest.mark.covers("F4-4", "B8", "S20")

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "docs" / "openapi" / "gateway.json"
COLLECTION = ROOT / "postman" / "notifications.json"
_PARTS = {"Inbox", "Sockets", "Event streams (SSE)", "Administration"}
#: Served beside the description: by the transport, and for operators.
_BESIDE = {"/socket.io/", "/healthz", "/readyz", "/metrics"}


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return ENVIRONMENT


@pytest.fixture
def described(gateways: Gateways) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{gateways.url}/openapi.json").json()
    return found


def test_the_description_is_the_one_that_was_agreed(described: dict[str, Any]) -> None:
    if "CARILLON_UPDATE_GOLDEN" in os.environ:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(described, indent=1, sort_keys=True) + "\n")
    assert described == json.loads(GOLDEN.read_text()), (
        "run this test with CARILLON_UPDATE_GOLDEN=1 and look at the diff"
    )


def test_every_operation_is_described(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    for path, item in described["paths"].items():
        for method, operation in item.items():
            assert operation.get("description"), f"{method} {path}"
            assert "Problem" in json.dumps(operation["responses"]["401"])


def requests(items: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in items:
        if "request" in item:
            yield item["name"], item["request"]
        yield from requests(item.get("item", []))


def collection() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COLLECTION.read_text())
    return found


def path_of(request: dict[str, Any]) -> str:
    raw: str = request["url"]["raw"].partition("?")[0]
    return raw.removeprefix("{{gateway}}")


def serves(path: str, method: str, described: dict[str, Any]) -> bool:
    if path in _BESIDE:
        return True
    routes = [(pattern, [m.upper() for m in item]) for pattern, item in described["paths"].items()]
    scope = {"type": "http", "path": path, "root_path": "", "method": method}
    return any(
        Route(pattern, lambda _: None, methods=methods).matches(scope)[0] is Match.FULL
        for pattern, methods in (*routes, *ALLOWED)
    )


def test_the_collection_calls_routes_that_exist(described: dict[str, Any]) -> None:
    variables = {variable["key"] for variable in collection()["variable"]}
    assert {part["name"] for part in collection()["item"]} >= _PARTS
    for name, request in requests(collection()["item"]):
        used = set(re.findall(r"\{\{(\w+)\}\}", json.dumps(request)))
        assert used <= variables, name
        assert serves(path_of(request), request["method"], described), name


def test_the_collection_has_every_route_of_people_and_administrators(described: dict[str, Any]) -> None:
    called = [(path_of(request), request["method"]) for _, request in requests(collection()["item"])]
    aliases = ("/api/notifications", "/api/v1/admin/", "/api/v1/notifications/preferences")
    for pattern, item in described["paths"].items():
        if pattern.startswith(aliases):
            continue
        route = Route(pattern, lambda _: None, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        hits = [
            path
            for path, method in called
            if route.matches({"type": "http", "path": path, "root_path": "", "method": method})[0] is Match.FULL
        ]
        assert hits, pattern
        assert item


@pytest.mark.parametrize(("name", "request_"), list(requests(collection()["item"])), ids=lambda value: str(value)[:40])
async def test_a_call_of_the_collection_is_understood(gateways: Gateways, name: str, request_: dict[str, Any]) -> None:
    """No route says that it does not know the path, the method, or the body."""
    values = {variable["key"]: variable["value"] for variable in collection()["variable"]}
    values |= {"gateway": gateways.url, "$guid": "g", "token": bearer("ana", role="admin")["Authorization"][7:]}
    text = re.sub(r"\{\{(\$?\w+)\}\}", lambda found: values[found[1]], request_["url"]["raw"])
    headers = {header["key"]: header["value"] for header in request_["header"] if "{{" not in header["value"]}
    if request_.get("auth", {}).get("type") != "noauth":
        headers["Authorization"] = f"Bearer {values['token']}"
    body = request_.get("body", {}).get("raw")
    async with (
        httpx.AsyncClient() as http,
        http.stream(request_["method"], text, headers=headers, content=body) as answer,
    ):
        if answer.status_code >= 400:
            problem = json.loads(await answer.aread())
            expected = {
                404: "there is no such|you have no such|do not subscribe|is not set up",
                412: "",
                503: "ingest is away",
            }
            assert answer.status_code in expected, (name, problem)
            assert re.search(expected[answer.status_code], problem["detail"]), (name, problem)
