"""The HTTP interface, as one who has an API key speaks to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from cli.outcome import Refused

_PATIENCE = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Api:
    """`url` of ingest or gateway; `tenant` is the key's own where none is named."""

    url: str
    key: str = field(repr=False)
    tenant: str | None = None

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """The answer's body. Raises Refused."""
        named = {"tenant": self.tenant} | query
        parameters = {name: value for name, value in named.items() if value is not None}
        async with self.client() as client:
            return body_of(await client.request(method, f"/api/v1/{path}", json=body, params=parameters))

    def client(self) -> httpx.AsyncClient:
        """For several requests on one connection."""
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=_PATIENCE)


def body_of(response: httpx.Response) -> dict[str, Any]:
    """What was answered, {} where that is nothing. Raises Refused with the problem's words."""
    if response.is_success:
        body: dict[str, Any] = response.json() if response.content else {}
        return body
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.text[:200]
    again = f"; try again in {wait} s" if (wait := response.headers.get("Retry-After")) else ""
    raise Refused(f"{response.request.url} answered {response.status_code}: {detail}{again}")
