"""`/healthz`, `/readyz` and `/metrics`, the same on every service."""

from __future__ import annotations

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.runtime.health import Health


def routes(health: Health) -> list[Route]:
    """The three operator routes. 200 when fine, 503 with the faults by name when not."""

    async def healthz(_request: Request) -> Response:
        holding = {p.name: p.held for p in health.progress if p.held}
        return _answer(health.alive(), {"holding": holding} if holding else {})

    async def readyz(_request: Request) -> Response:
        return _answer(await health.ready(), {})

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _answer(faults: dict[str, str], more: dict[str, object]) -> Response:
    body = {"status": "fault" if faults else "ok", "faults": faults} | more
    return Response(orjson.dumps(body), 503 if faults else 200, media_type="application/json")
