"""`GET /api/v1/asyncapi.json`: the description of the topics, as `/openapi.json` is that of the routes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from libs.schemas.asyncapi import document


def router() -> APIRouter:
    """Open to everybody."""
    routes, described = APIRouter(tags=["topics"]), document()

    @routes.get("/api/v1/asyncapi.json")
    async def asyncapi() -> dict[str, Any]:
        """Which topics others may use, and what stands in them (AsyncAPI 3)."""
        return described

    return routes
