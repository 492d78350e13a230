"""`POST /api/v1/events`, `/events/batch` and `/notifications`: the hot routes read their bodies by themselves."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response
from structlog.contextvars import bound_contextvars

from libs.http.body import read_json_body
from libs.http.problems import Problem
from libs.http.quotas import Quotas
from libs.runtime import tracing
from libs.schemas.events import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from services.ingest.domain import documents, refusals
from services.ingest.domain.access import Principal
from services.ingest.domain.admission import Accepted
from services.ingest.domain.refusals import Refused
from services.ingest.entrypoints.http import caller, openapi, schemas
from services.ingest.entrypoints.http.answers import Found, accepted_one, refused_problem, results
from services.ingest.entrypoints.http.quota import within
from services.ingest.handlers.access import Access
from services.ingest.handlers.publishing import KeyReused, Publishing, Submission
from services.ingest.handlers.waiting import TooManyWaiting, Waiting

_MAX_KEY_LENGTH = 200


def router(access: Access, publishing: Publishing, quotas: Quotas, waiting: Waiting) -> APIRouter:
    """The routes that publish; `waiting` serves callers who ask for the result."""
    routes = APIRouter(tags=["publish"])
    allowed = Depends(caller.required(access, "events:write"))

    async def publish_event(request: Request, principal: Principal = allowed) -> Response:
        """Publishes one event."""
        return await _publish(request, principal, MAX_EVENT_BYTES, direct=False, as_list=False)

    async def publish_events(request: Request, principal: Principal = allowed) -> Response:
        """Publishes up to 1,000 events; each has its own result."""
        return await _publish(request, principal, MAX_BATCH_BYTES, direct=False, as_list=True)

    async def send_notifications(
        request: Request, principal: Principal = allowed, wait: Annotated[float, Query(ge=0, le=30)] = 0.0
    ) -> Response:
        """Sends a notification, or a list of up to 1,000; with `wait` in seconds the answer says what became of it."""
        return await _publish(request, principal, MAX_BATCH_BYTES, direct=True, as_list=None, wait=wait)

    async def _publish(
        request: Request, principal: Principal, limit: int, *, direct: bool, as_list: bool | None, wait: float = 0.0
    ) -> Response:
        body = await read_json_body(request, limit)
        parsed = documents.parse(body)
        if isinstance(parsed, Refused):
            raise refused_problem(parsed)
        is_list = isinstance(parsed.value, list) if as_list is None else as_list
        items = _items(parsed.value) if is_list else [parsed.value]
        if wait:
            _check_waiting(waiting, len(items))
        headers = within(quotas, principal, len(items))
        trace, repeat = _traceparent(request), _repeat(request, body)
        submission = Submission(principal, items, is_list, direct, parsed.suspicious, trace, repeat)
        with bound_contextvars(**({"trace_id": tracing.trace_id(trace)} if trace is not None else {})):
            try:
                verdicts = await publishing.submit(submission)
            except KeyReused:
                detail = "this Idempotency-Key was used for a request with another body"
                raise Problem(409, "idempotency-key-reused", detail) from None
        accepted = [(v.tenant, v.id) for v in verdicts if isinstance(v, Accepted)]
        found = await waiting.wait(accepted, wait) if wait else None
        return results(verdicts, headers, found) if is_list else _one(verdicts[0], headers, found)

    routes.add_api_route(
        "/api/v1/events", publish_event, methods=["POST"], **openapi.publishing("UpstreamEvent", schemas.EventAccepted)
    )
    routes.add_api_route(
        "/api/v1/events/batch",
        publish_events,
        methods=["POST"],
        **openapi.publishing("EventBatch", schemas.BatchAccepted),
    )
    for path in ("/api/v1/notifications", "/api/v1/notifications/send", "/notifications/send"):
        answer: Any = schemas.EventAccepted | schemas.BatchAccepted
        described = openapi.publishing("DirectNotifications", answer)
        routes.add_api_route(
            path, send_notifications, methods=["POST"], include_in_schema=path == "/api/v1/notifications", **described
        )
    return routes


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise refused_problem(Refused(refusals.NOT_A_LIST, "a JSON array was expected"))
    if not 0 < len(value) <= MAX_BATCH_EVENTS:
        raise refused_problem(Refused(refusals.TOO_MANY, f"1 to {MAX_BATCH_EVENTS} items, not {len(value)}"))
    return value


def _one(verdict: Accepted | Refused, headers: dict[str, str], found: Found | None) -> Response:
    if isinstance(verdict, Refused):
        raise refused_problem(verdict)
    return accepted_one(verdict, headers, found)


def _check_waiting(waiting: Waiting, count: int) -> None:
    try:
        waiting.check(count)
    except TooManyWaiting:
        detail = "too many callers wait for results now; send it without `wait` and ask for its status"
        raise Problem(503, "too-many-waiting", detail, headers={"Retry-After": "1"}) from None


def _traceparent(request: Request) -> str | None:
    given = request.headers.get(tracing.HEADER)
    return tracing.accepted(given) if given is not None else None


def _repeat(request: Request, body: bytes) -> tuple[str, bytes] | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not (0 < len(key) <= _MAX_KEY_LENGTH and key.isprintable()):
        detail = f"Idempotency-Key: 1 to {_MAX_KEY_LENGTH} printable characters"
        raise Problem(400, "invalid-header", detail, errors=[{"field": "Idempotency-Key", "message": detail}])
    return key, hashlib.sha256(request.url.path.encode() + b"\0" + body).digest()
