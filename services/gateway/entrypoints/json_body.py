"""JSON in and out: bodies that routes read by themselves, and answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from libs.http.body import read_json_body
from libs.http.problems import Problem, field_errors

M = TypeVar("M", bound=BaseModel)


async def object_of(request: Request, limit: int) -> dict[str, Any]:
    """The JSON object of a request; an empty body is an empty object. Raises Problem 400, 413, 415 or 422."""
    raw = await read_json_body(request, limit)
    try:
        value = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        raise Problem(400, "not-json", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise Problem(422, "not-an-object", "a JSON object was expected")
    return value


async def model_of(request: Request, model: type[M], limit: int = 64 * 1024) -> M:
    """The request's JSON object as a model. Raises Problem."""
    value = await object_of(request, limit)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = field_errors(error.errors())
        raise Problem(422, "invalid-request", f"{errors[0]['field']}: {errors[0]['message']}", errors=errors) from None


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that takes this body; the description has the model under its name."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(body), status, headers, "application/json")


def conditional(request: Request, body: Any) -> Response:
    """A JSON response that who has it already need not be sent again (ETag, If-None-Match)."""
    text = orjson.dumps(body)
    headers = {"ETag": f'W/"{hashlib.blake2b(text, digest_size=12).hexdigest()}"', "Cache-Control": "private, no-cache"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type="application/json")
