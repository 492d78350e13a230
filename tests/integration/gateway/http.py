"""Calls to the HTTP routes: whose they are, and what a list holds."""

from __future__ import annotations

from typing import Any

import httpx

from tests.integration.gateway.clients import token


def bearer(*who: Any, **claims: Any) -> dict[str, str]:
    """The Authorization header of somebody."""
    return {"Authorization": f"Bearer {token(*who, **claims)}"}


def numbers(answer: httpx.Response) -> list[int]:
    """The `n` of every notification of a list."""
    answer.raise_for_status()
    return [item["data"]["n"] for item in answer.json()["items"]]
