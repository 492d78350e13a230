"""The application: all routes, every error a problem."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from libs.http import health as health_routes
from libs.http import problems
from libs.runtime.health import Health
from libs.runtime.logging import get_logger
from services.ingest.entrypoints.http import openapi
from services.ingest.errors import Permanent, Retryable, Unstorable
from services.ingest.metrics import UNAVAILABLE

_log = get_logger(__name__)


def application(health: Health, *routers: APIRouter) -> FastAPI:
    """FastAPI with its own pages under /docs and /openapi.json."""
    app = FastAPI(
        title="Carillon ingest",
        version="1",
        description="Publish events, keep the directory, administer keys and tenants.",
    )
    problems.install(app)
    app.add_exception_handler(Retryable, _unavailable)
    app.add_exception_handler(Unstorable, _not_storable)
    app.add_exception_handler(Permanent, _refused_by_kafka)
    for router in routers:
        app.include_router(router)
    app.router.routes.extend(health_routes.routes(health))
    openapi.install(app)
    return app


async def _unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Retryable)
    UNAVAILABLE.inc()
    _log.warning("call_unavailable", errors=str(error), path=request.url.path)
    detail = "a neighbour of this service is away: nothing was accepted, please try again"
    headers = {"Retry-After": str(max(1, round(error.after)))}
    return problems.Problem(503, "unavailable", detail, headers=headers).response()


async def _not_storable(request: Request, error: Exception) -> Response:
    _log.error("value_refused_by_postgres", errors=str(error), path=request.url.path)
    return problems.Problem(422, "not-storable", "the database refuses a value of this request").response()


async def _refused_by_kafka(request: Request, error: Exception) -> Response:
    _log.error("records_refused_by_kafka", errors=str(error), path=request.url.path)
    return problems.Problem(413, "too-large", "the brokers are set to take smaller records only").response()
