"""Bodies of routes that are not hot: JSON free of what PostgreSQL would refuse."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from libs.http.problems import Problem, field_errors
from services.ingest.domain import documents
from services.ingest.domain.refusals import Refused
from services.ingest.entrypoints.http.answers import refused_problem

M = TypeVar("M", bound=BaseModel)


def document_of(body: bytes) -> Any:
    """The JSON value of a body. Raises Problem."""
    parsed = documents.parse(body)
    if isinstance(parsed, Refused):
        raise refused_problem(parsed)
    if parsed.suspicious and (fault := documents.fault(parsed.value)) is not None:
        raise refused_problem(fault)
    return parsed.value


def model_of(model: type[M], body: bytes) -> M:
    """The body as a model. Raises Problem naming the fields."""
    try:
        return model.model_validate(document_of(body))
    except ValidationError as error:
        errors = field_errors(error.errors())
        detail = f"{errors[0]['field']}: {errors[0]['message']}"
        raise Problem(422, "invalid-field", detail, errors=errors) from None
