"""`POST /api/v1/ephemerals`: events for whoever listens now (F3-6)."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from libs.http.body import read_json_body
from libs.http.problems import Problem
from libs.http.quotas import Quotas
from libs.runtime import tracing
from libs.schemas.ephemerals import MAX_BATCH
from services.ingest.domain import documents, refusals
from services.ingest.domain.access import Principal
from services.ingest.domain.refusals import Refused
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.answers import refused_problem, status_of
from services.ingest.entrypoints.http.models import Body
from services.ingest.entrypoints.http.quota import within
from services.ingest.handlers.access import Access
from services.ingest.handlers.ephemerals import Ephemerals

_MAX_BYTES = 1024 * 1024


class EphemeralAccepted(Body):
    """`gateways` is how many had somebody who listens; with 0 nobody will see it."""

    status: str
    gateways: int


def router(access: Access, ephemerals: Ephemerals, quotas: Quotas) -> APIRouter:
    """One event, or a list of up to 100, each with its own result."""
    routes = APIRouter(tags=["publish"])
    allowed = Depends(caller.required(access, "ephemerals:write"))

    async def send_ephemerals(request: Request, principal: Principal = allowed) -> Response:
        """Shows events to whoever listens now; nothing is stored."""
        parsed = documents.parse(await read_json_body(request, _MAX_BYTES))
        if isinstance(parsed, Refused):
            raise refused_problem(parsed)
        is_list = isinstance(parsed.value, list)
        items = parsed.value if is_list else [parsed.value]
        if not 0 < len(items) <= MAX_BATCH:
            raise refused_problem(Refused(refusals.TOO_MANY, f"1 to {MAX_BATCH} items, not {len(items)}"))
        headers = within(quotas, principal, len(items))
        given = request.headers.get(tracing.HEADER)
        trace = None if given is None else tracing.accepted(given)
        answers = await ephemerals.send(principal, items, trace, suspicious=parsed.suspicious)
        return _many(answers, headers) if is_list else _one(answers[0], headers)

    routes.add_api_route(
        "/api/v1/ephemerals",
        send_ephemerals,
        methods=["POST"],
        status_code=202,
        openapi_extra=openapi.body("EphemeralEvents"),
        response_model=EphemeralAccepted,
        responses=openapi.problems(400, 401, 403, 413, 415, 422, 429, 503),
    )
    return routes


def _one(answer: int | Refused, headers: dict[str, str]) -> Response:
    if isinstance(answer, Refused):
        raise refused_problem(answer)
    return _json({"status": "accepted", "gateways": answer}, headers)


def _many(answers: list[int | Refused], headers: dict[str, str]) -> Response:
    items = [_item(answer) for answer in answers]
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    body: dict[str, Any] = {"accepted": len(items) - len(refused), "refused": len(refused), "results": items}
    if len(refused) < len(items):
        return _json(body, headers)
    detail = f"none of {len(items)} was accepted; the first: {refused_problem(refused[0]).detail}"
    raise Problem(422, "all-refused", detail, headers=headers, **body)


def _item(answer: int | Refused) -> dict[str, Any]:
    if isinstance(answer, int):
        return {"status": 202, "gateways": answer}
    problem = {"code": answer.code, "detail": answer.reason, "field": answer.field}
    return {"status": status_of(answer), "problem": problem}


def _json(body: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), 202, headers, "application/json")
