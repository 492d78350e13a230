"""`/api/v1/callbacks/…`: what providers say after they took a delivery. Their signatures stand in for credentials."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from libs.auth.links import CALLBACKS
from libs.http.body import read_json_body
from libs.http.problems import Problem
from libs.runtime.logging import get_logger
from libs.schemas.events import MAX_BATCH_BYTES, MAX_EVENT_BYTES
from services.ingest.domain.access import Principal
from services.ingest.domain.reports import Report
from services.ingest.entrypoints.http import caller, openapi
from services.ingest.entrypoints.http.after_schemas import ReportBody
from services.ingest.entrypoints.http.bodies import model_of
from services.ingest.handlers.access import Access
from services.ingest.handlers.callbacks import Callbacks, NotTheirs
from services.ingest.metrics import UNAUTHORISED

_log = get_logger(__name__)
_NO_REPLY = Response('<?xml version="1.0" encoding="UTF-8"?><Response></Response>', media_type="text/xml")
_THEIRS = openapi.problems(403, 413, 503)


def router(access: Access, callbacks: Callbacks, origin: str | None) -> APIRouter:
    """`origin` is the public one, by which providers call."""
    routes = APIRouter(prefix=CALLBACKS.rstrip("/"), tags=["call-backs"])
    allowed = Depends(caller.required(access, "callbacks:write"))

    @routes.post("/twilio/status", status_code=204, responses=_THEIRS)
    async def twilio_status(
        request: Request,
        tenant: Annotated[str | None, Query()] = None,
        delivery: Annotated[UUID | None, Query()] = None,
    ) -> Response:
        """The state of a text, signed by Twilio."""
        form, signature = await _signed_form(request)
        named = tenant, None if delivery is None else str(delivery)
        try:
            await callbacks.twilio_status(form, signature, _called(request, origin), named)
        except NotTheirs:
            raise _turned_away(request) from None
        return Response(status_code=204)

    @routes.post("/twilio/answers", response_class=Response, responses=_THEIRS)
    async def twilio_answers(request: Request) -> Response:
        """What people answer to texts: STOP and START, signed by Twilio."""
        form, signature = await _signed_form(request)
        try:
            await callbacks.twilio_answer(form, signature, _called(request, origin))
        except NotTheirs:
            raise _turned_away(request) from None
        return _NO_REPLY

    @routes.post("/ses", status_code=204, responses=_THEIRS)
    async def ses(request: Request) -> Response:
        """Bounces, complaints and deliveries of SES, by an SNS topic of CARILLON_SES_TOPICS."""
        message = _json(await _body(request, MAX_BATCH_BYTES))
        try:
            await callbacks.amazon(message)
        except NotTheirs:
            raise _turned_away(request) from None
        return Response(status_code=204)

    @routes.post(
        "/reports",
        status_code=204,
        openapi_extra=openapi.body("ReportBody"),
        responses=openapi.problems(400, 401, 403, 413, 415, 422, 503),
    )
    async def reports(
        request: Request,
        tenant: Annotated[str | None, Query(description="your own by default")] = None,
        principal: Principal = allowed,
    ) -> Response:
        """What became of a delivery, for providers without a route of their own."""
        said = model_of(ReportBody, await read_json_body(request, MAX_EVENT_BYTES))
        of = caller.tenant_of(request, principal, tenant)
        if said.delivery_id is None:
            # A provider's own id says nothing of the tenant: only who speaks for all of them may go by it.
            caller.platform_only(request, principal)
        named = (of, said.delivery_id) if said.delivery_id is not None else None
        if not await callbacks.take(Report(said.event, said.provider, named, said.message_id, code=said.code)):
            raise Problem(404, "not-found", "there is no such delivery")
        return Response(status_code=204)

    return routes


async def _signed_form(request: Request) -> tuple[list[tuple[str, str]], str]:
    text = (await _body(request, MAX_EVENT_BYTES)).decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True), request.headers.get("x-twilio-signature", "")


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, "too-large", f"the body may have {limit} bytes", headers={"Connection": "close"})
    return bytes(body)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Problem(400, "not-an-object", "an SNS message was expected")
    return found


def _called(request: Request, origin: str | None) -> str:
    """The address as the provider called it: it signed that, and proxies may have changed it on the way."""
    query = f"?{request.url.query}" if request.url.query else ""
    base = origin or f"{request.url.scheme}://{request.url.netloc}"
    return f"{base}{request.url.path}{query}"


def _turned_away(request: Request) -> Problem:
    UNAUTHORISED.labels("bad-signature").inc()
    _log.warning("callback_turned_away", errors="bad-signature", path=request.url.path)
    return Problem(403, "bad-signature", "the signature is wrong, or this call-back is not set up")
