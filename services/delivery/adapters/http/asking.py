"""Asking a provider of our own choice: one server that serves all deliveries of its channel."""

from __future__ import annotations

from collections.abc import Mapping

from services.delivery.adapters.http.client import Answer, HttpClient, Stage, Unanswered
from services.delivery.errors import Unavailable, Uncertain


class Asker:
    """`timeout` is for one whole call, in seconds; `http2` speaks HTTP/2 alone."""

    def __init__(self, timeout: float, *, http2: bool = False) -> None:
        self._http = HttpClient(timeout, http2=http2)

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Raises Unavailable when nothing was asked, Uncertain when there is no answer."""
        try:
            return await self._http.post(url, headers, content)
        except Unanswered as silence:
            if silence.stage is Stage.SENT:
                raise Uncertain("outcome-unknown", detail=silence.detail) from silence
            raise Unavailable("provider-unavailable", detail=silence.detail) from silence

    async def close(self) -> None:
        """Ends all connections."""
        await self._http.close()
