"""Amazon's signing certificates, fetched once each."""

from __future__ import annotations

import httpx

from services.ingest.domain.callbacks.amazon import is_amazons
from services.ingest.errors import Retryable

_SECONDS = 5.0
_MAX_BYTES = 64 * 1024
_MAX_KEPT = 32


class AmazonCertificates:
    """services.ingest.ports.Certificates."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False)
        self._kept: dict[str, bytes] = {}

    async def fetch(self, url: str) -> bytes | None:
        """The PEM, from memory where it was fetched before."""
        if not is_amazons(url) or not url.endswith(".pem"):
            return None
        if url not in self._kept:
            found = await self._get(url)
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[url] = found
        return self._kept[url]

    async def confirm(self, url: str) -> None:
        """Nothing is done for an address that is not Amazon's."""
        if is_amazons(url):
            await self._get(url)

    async def close(self) -> None:
        """Ends all connections."""
        await self._client.aclose()

    async def _get(self, url: str) -> bytes:
        try:
            answer = await self._client.get(url)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Retryable(f"Amazon: {type(error).__name__}") from error
        return answer.content[:_MAX_BYTES]
