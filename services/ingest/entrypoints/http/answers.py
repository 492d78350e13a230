"""What verdicts look like over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from libs.http.problems import Problem
from services.ingest.domain import refusals
from services.ingest.domain.admission import Accepted
from services.ingest.domain.refusals import Refused
from services.ingest.domain.results import Progress, result
from services.ingest.ports.reporting import Key

_JSON = "application/json"
Found = Mapping[Key, Progress]
#: The rest is 422: the body is JSON, but not an event.
_STATUS = {
    refusals.NOT_JSON: 400,
    refusals.NOT_UTF8: 400,
    refusals.LONE_SURROGATE: 400,
    refusals.TOO_LARGE: 413,
    refusals.TENANT_NOT_ALLOWED: 403,
    refusals.PLATFORM_NOT_ALLOWED: 403,
    refusals.UNKNOWN_TENANT: 403,
}


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal."""
    return _STATUS.get(refused.code, 422)


def refused_problem(refused: Refused) -> Problem:
    """The refusal of a whole request."""
    field = refused.field
    detail = f"{field}: {refused.reason}" if field else refused.reason
    errors = [{"field": field, "message": refused.reason}] if field else []
    return Problem(status_of(refused), refused.code, detail, errors=errors)


def accepted_one(event: Accepted, headers: Mapping[str, str], found: Found | None = None) -> Response:
    """202 with the id, and where to follow it; with what was found of it, for a caller who has waited."""
    where = {"Location": f"/api/v1/notifications/{event.id}/status"}
    body = {"id": event.id, "status": "accepted"} | _outcome(event, found)
    return Response(orjson.dumps(body), 202, {**headers, **where}, _JSON)


def results(verdicts: Sequence[Accepted | Refused], headers: Mapping[str, str], found: Found | None = None) -> Response:
    """202 with a result for each item as soon as one was accepted; 422 with the same results when none was."""
    items = [
        _result(verdict) | (_outcome(verdict, found) if isinstance(verdict, Accepted) else {}) for verdict in verdicts
    ]
    refused = [verdict for verdict in verdicts if isinstance(verdict, Refused)]
    body: dict[str, Any] = {"accepted": len(items) - len(refused), "refused": len(refused), "results": items}
    if len(refused) < len(items):
        return Response(orjson.dumps(body), 202, headers, _JSON)
    detail = f"none of {len(items)} was accepted; the first: {refused_problem(refused[0]).detail}"
    raise Problem(422, "all-refused", detail, headers=headers, **body)


def _outcome(event: Accepted, found: Found | None) -> dict[str, Any]:
    if found is None:
        return {}
    asked = orjson.loads(event.value).get("channels") or ()
    outcome = result(found.get((event.tenant, event.id)), asked)
    shown = {"success": outcome.success, "settled": outcome.settled, "channels": outcome.channels}
    return shown | ({"errors": outcome.errors} if outcome.errors else {})


def _result(verdict: Accepted | Refused) -> dict[str, Any]:
    if isinstance(verdict, Accepted):
        return {"status": 202, "id": verdict.id}
    problem = {"code": verdict.code, "detail": verdict.reason, "field": verdict.field}
    return {"status": status_of(verdict), "problem": problem}
