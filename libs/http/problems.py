"""Problem details for HTTP (RFC 9457): every refusal is `application/problem+json` and names the field and the fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A refusal. `code` is one of docs/errors.md; `errors` are `{field, message}` pairs; other members are added."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers, self.members = list(errors), dict(headers or {}), members

    def body(self) -> dict[str, Any]:
        """The problem as JSON members."""
        body: dict[str, Any] = {
            "type": f"urn:carillon:problem:{self.code}",
            "title": self.code.replace("-", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        return body | self.members

    def response(self) -> Response:
        """The problem as a response."""
        return Response(orjson.dumps(self.body()), self.status, self.headers, MEDIA_TYPE)


def field_errors(errors: Sequence[Any], skip: int = 0) -> list[dict[str, str]]:
    """pydantic's errors as `{field, message}`; `skip` leading parts of each location are left out."""
    return [
        {"field": ".".join(str(part) for part in error["loc"][skip:]) or "(body)", "message": error["msg"]}
        for error in errors
    ]


def install(app: FastAPI) -> None:
    """Makes the application answer every error as a problem."""

    async def problem(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = field_errors(error.errors(), skip=1)
        detail = f"{errors[0]['field']}: {errors[0]['message']}" if errors else "the request is not valid"
        return Problem(422, "invalid-request", detail, errors=errors).response()

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http-error")
        return Problem(error.status_code, code, str(error.detail), headers=error.headers).response()

    async def unexpected(_request: Request, _error: Exception) -> Response:
        # The error itself is raised on and logged by the server; the caller learns nothing of our inside.
        return Problem(500, "internal-error", "something went wrong here; the logs say what").response()

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(Exception, unexpected)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
