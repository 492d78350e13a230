"""The API description (OpenAPI 3.1) of routes that read their bodies by themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from libs.http.problems import MEDIA_TYPE
from libs.schemas import directory, events
from services.ingest.entrypoints.http import admin_schemas, after_schemas, live_schemas, schemas

_REF = "#/components/schemas/{model}"

#: Bodies by the name that the description gives them.
BODIES: dict[str, Any] = {
    "UpstreamEvent": events.UpstreamEvent,
    "EventBatch": schemas.EventBatch,
    "DirectNotifications": schemas.DirectNotifications,
    "ProblemBody": schemas.ProblemBody,
    "User": directory.User,
    "Org": directory.Org,
    "Membership": directory.Membership,
    "Device": directory.Device,
    "DirectoryEntries": admin_schemas.DirectoryEntries,
    "KeyRequest": admin_schemas.KeyRequest,
    "TenantRequest": admin_schemas.TenantRequest,
    "TypeDocument": dict[str, Any],
    "TypeDocuments": dict[str, list[dict[str, Any]]],
    "SuppressionRequest": after_schemas.SuppressionRequest,
    "EndpointRequest": after_schemas.EndpointRequest,
    "EndpointPatch": after_schemas.EndpointPatch,
    "ReportBody": after_schemas.ReportBody,
    "EphemeralEvents": live_schemas.EphemeralEvents,
    "PolicyRequest": live_schemas.PolicyRequest,
}

_PROBLEMS = {
    400: "The body is not JSON",
    401: "No credential, or one that is not valid",
    403: "The scope or the tenant is not the caller's",
    409: "The Idempotency-Key was used for another body",
    413: "The body is too large",
    415: "The body is not JSON by its media type",
    422: "A field is wrong; `errors` names it",
    429: "The quota is used up; Retry-After tells for how long",
    503: "A neighbour is away; nothing was accepted; Retry-After tells when to try again",
}


def body(name: str) -> dict[str, Any]:
    """`openapi_extra` of a route that takes the body of this name."""
    content = {"application/json": {"schema": {"$ref": _REF.format(model=name)}}}
    return {"requestBody": {"required": True, "content": content}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route."""
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemBody")}}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}


def publishing(name: str, answer: Any) -> dict[str, Any]:
    """How a route that publishes is described."""
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 200},
        "description": "sent again with the same body, the request stands for the same notifications",
    }
    accepted = {202: {"description": "Accepted: acknowledged by all in-sync replicas", "model": answer}}
    return {
        "status_code": 202,
        "openapi_extra": body(name) | {"parameters": [key]},
        "responses": accepted | problems(*_PROBLEMS),
    }


def install(app: FastAPI) -> None:
    """Adds the bodies to the description of the application."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(_body_schemas())
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"bearer": []}]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI's documentation does it


def _body_schemas() -> dict[str, Any]:
    named = [(name, "validation", TypeAdapter(kind)) for name, kind in BODIES.items()]
    references, definitions = TypeAdapter.json_schemas(named, ref_template=_REF)  # type: ignore[arg-type]
    found: dict[str, Any] = dict(definitions.get("$defs", {}))
    for (name, _mode), schema in references.items():
        if schema != {"$ref": _REF.format(model=name)}:
            found[name] = schema
    return found
