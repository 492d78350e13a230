"""The description of the HTTP routes (OpenAPI 3.1), as `/openapi.json` serves it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from libs.http.problems import MEDIA_TYPE
from libs.schemas.preferences import FlatPreferences, Preferences

_REF = "#/components/schemas/"
#: Bodies that routes read by themselves.
_BODIES: tuple[type[BaseModel], ...] = (Preferences, FlatPreferences)
_METHODS = ("get", "put", "post", "patch", "delete")
#: Nobody needs a token for these.
_OPEN = ("/notifications/sse/test", "/api/v1/devices/web-push-key")
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457; docs/errors.md explains each `code`.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_REFUSALS = {
    "401": "No credential, or one that is not valid",
    "422": "A parameter or field is wrong; `errors` names it",
    "429": "The caller's quota is used up; Retry-After tells for how long",
    "503": "A neighbour is away; Retry-After tells when to try again",
}


def install(app: FastAPI) -> None:
    """Adds to FastAPI's description what holds for every route: the bearer's token, and problems."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            components = document.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schemas["Problem"] = _PROBLEM
            for model in _BODIES:
                schemas |= _named(model)
            components["responses"] = {f"Problem{status}": _refused(why) for status, why in _REFUSALS.items()}
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
            for path, item in document["paths"].items():
                for method in _METHODS:
                    if method in item:
                        _complete(item[method], open_=path in _OPEN)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI's documentation does it


def _named(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_REF + "{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _refused(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + "Problem"}}}}


def _complete(operation: dict[str, Any], *, open_: bool) -> None:
    for status in _REFUSALS:
        operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["security"] = [] if open_ else [{"bearer": []}]
