"""The public keys of an issuer: fetched, kept, fetched anew when they are old or a token names one that is not known.

A key that is known is never waited for: keys that have become old are renewed beside the work, and stay in use for as
long as their issuer cannot be reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import orjson
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from libs.runtime.logging import get_logger

log = get_logger(__name__)

ALGORITHMS = frozenset({"RS256", "ES256"})
_MAX_BYTES = 256 * 1024
_FETCH_SECONDS = 3.0


class KeysUnavailable(Exception):
    """The issuer's keys are needed and cannot be fetched now: the token is neither good nor bad."""


class KeySet:
    """The keys at one URL. `lifetime`: seconds after which they are renewed; `pause`: the least between two fetches
    that unknown key ids ask for, so that made-up ones do not reach the issuer. `clock` counts seconds.
    """

    def __init__(
        self, url: str, client: httpx.AsyncClient, clock: Callable[[], float], *, lifetime: float, pause: float
    ) -> None:
        self._url, self._client, self._clock = url, client, clock
        self._lifetime, self._pause = lifetime, pause
        self._keys: Mapping[tuple[str | None, str], PyJWK] | None = None
        self._fault: str | None = None
        self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key, or None when the issuer has no such one. Without an id: the issuer's only one for the algorithm.

        Raises KeysUnavailable.
        """
        since = self._clock() - self._tried
        key = self._known(key_id, algorithm)
        if key is not None:
            if since > self._lifetime or (self._fault is not None and since > self._pause):
                self._fetch()
            return key
        if since > self._pause or self._fetching is not None:
            await asyncio.shield(self._fetch())
            key = self._known(key_id, algorithm)
        if key is None and self._fault is not None:
            raise KeysUnavailable(self._fault)
        return key

    async def close(self) -> None:
        """Ends a fetch that is on its way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _known(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        keys = self._keys or {}
        if key_id is not None:
            return keys.get((key_id, algorithm))
        fitting = [key for (_, made_for), key in keys.items() if made_for == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def _fetch(self) -> asyncio.Task[None]:
        """One fetch at a time; who comes meanwhile waits for the same."""
        if self._fetching is None:
            self._tried = self._clock()
            self._fetching = asyncio.create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                self._keys = _read(await self._body())
            self._fault = None
            log.info("keys_fetched", url=self._url, keys=len(self._keys))
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            self._fault = f"the keys at {self._url} cannot be fetched: {type(error).__name__}"
            log.warning("keys_unavailable", url=self._url, stale=self._keys is not None, errors=[repr(error)])
        finally:
            self._tried = self._clock()
            self._fetching = None

    async def _body(self) -> bytes:
        async with self._client.stream("GET", self._url) as answer:
            answer.raise_for_status()
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _MAX_BYTES:
                    raise ValueError(f"over {_MAX_BYTES} bytes")
            return bytes(body)


def _read(body: bytes) -> dict[tuple[str | None, str], PyJWK]:
    """By (id, algorithm). Raises ValueError when the document is not a key set, or has no key that we can use."""
    document = orjson.loads(body)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a key set")
    keys = [key for item in listed if (key := _key(item)) is not None]
    if not keys:
        raise ValueError("no key for " + " or ".join(sorted(ALGORITHMS)))
    return {(key.key_id, key.algorithm_name): key for key in keys}


def _key(item: Any) -> PyJWK | None:
    """One key; None where it is for another purpose or of a kind that is not taken: a set may hold those as well."""
    if not isinstance(item, dict) or item.get("use", "sig") != "sig":
        return None
    try:
        key = PyJWK(item)
    except (PyJWTError, ValueError):
        return None
    return key if key.algorithm_name in ALGORITHMS else None
