"""The HTTP application: the inbox, preferences, the way to ingest, health; every error is a problem."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from libs.http import health as health_routes
from libs.http import problems
from libs.runtime.health import Health
from libs.runtime.logging import get_logger
from services.gateway.entrypoints import openapi
from services.gateway.entrypoints.rate_limit import RateLimitFields
from services.gateway.errors import Retryable

log = get_logger(__name__)

#: A picture for each icon that the catalogue names, drawn by scripts/icons.py.
ICONS = Path(__file__).parent.parent / "icons"


def application(
    health: Health, routers: Iterable[APIRouter], routes: Iterable[BaseRoute], origins: tuple[str, ...]
) -> FastAPI:
    """All routes. `origins` may call from a browser, with credentials; `*` is any."""
    app = FastAPI(title="Carillon gateway", version="1", description="The inbox and preferences of people and agents.")
    problems.install(app)
    app.add_exception_handler(Retryable, _unavailable)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[] if "*" in origins else list(origins),
            # With credentials a browser wants to see its own origin, not a star.
            allow_origin_regex=".*" if "*" in origins else None,
            allow_credentials=True,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"],
        )
    app.add_middleware(RateLimitFields)
    app.router.routes.extend([*health_routes.routes(health), *routes])
    app.mount("/icons", StaticFiles(directory=ICONS))
    for router in routers:
        app.include_router(router)
    openapi.install(app)
    return app


async def _unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Retryable)
    log.warning("call_unavailable", path=request.url.path, errors=[str(error)])
    detail = "the database is away, please try again"
    headers = {"Retry-After": str(max(1, round(error.after)))}
    return problems.Problem(503, "unavailable", detail, headers=headers).response()
