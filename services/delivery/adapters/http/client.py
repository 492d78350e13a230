"""One HTTP request at a time, bounded in time and size, that knows how far the request has got."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore

from services.delivery.domain.retry import asked_to_wait

_MAX_ANSWER = 64 * 1024  # bytes: no provider has more to say to us
_KEEP_SECONDS = 10.0  # most servers keep an idle connection for longer: few are found closed
_CONNECT_SECONDS = 10.0
_CONNECT_SHARE = 0.4  # of the whole time, for the connection and for TLS each: both end before it
_REPEATED = frozenset({307, 308})  # redirects that keep the method and the body


class Stage(IntEnum):
    """How far a request has got. From SENT on the server may have acted on it."""

    NOTHING = 0
    SENT = 1


class Unanswered(Exception):
    """There is no answer. `stage` says whether there could have been one."""

    def __init__(self, stage: Stage, detail: str) -> None:
        super().__init__(detail)
        self.stage, self.detail = stage, detail


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. Header names are in small letters; the body is cut at 64 KiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def after(self, now: datetime) -> float:
        """Seconds that the server asks to wait."""
        return asked_to_wait(self.headers.get("retry-after"), now)


class HttpClient:
    """Keeps connections open for the next request.

    Args:
        timeout: for one whole request with its redirects, in seconds.
        backend: opens the connections; by default to anywhere.
        http2: speak HTTP/2 and nothing else.
        redirects: how many are followed; never from https to http.
    """

    def __init__(
        self,
        timeout: float,
        *,
        backend: httpcore.AsyncNetworkBackend | None = None,
        http2: bool = False,
        redirects: int = 0,
    ) -> None:
        self._timeout, self._redirects = timeout, redirects
        self._connecting = {"connect": min(_CONNECT_SECONDS, timeout * _CONNECT_SHARE)}
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpcore.default_ssl_context(),  # read once: the certificates of authorities are many
            http1=not http2,
            http2=http2,
            network_backend=backend,
            max_connections=None,
            keepalive_expiry=_KEEP_SECONDS,
        )

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Raises Unanswered, and what the backend raises."""
        whole = asyncio.timeout(self._timeout)
        furthest = _Furthest(whole)
        try:
            async with whole:
                return await self._following(url, headers, content, furthest)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise Unanswered(furthest.stage, type(error).__name__) from error

    async def close(self) -> None:
        """Ends all connections."""
        await self._pool.aclose()

    async def _following(self, url: str, headers: Mapping[str, str], content: bytes, furthest: _Furthest) -> Answer:
        answer = await self._once(url, headers, content, furthest)
        for _ in range(self._redirects):
            location = answer.headers.get("location")
            if answer.status not in _REPEATED or not location:
                break
            target = urljoin(url, location)
            if urlsplit(target).scheme not in ("https", urlsplit(url).scheme) or not target.isascii():
                break
            url = target
            answer = await self._once(url, headers, content, furthest)
        return answer

    async def _once(self, url: str, headers: Mapping[str, str], content: bytes, furthest: _Furthest) -> Answer:
        furthest.stage = Stage.NOTHING
        async with self._pool.stream(
            "POST",
            url,
            headers=list(headers.items()),
            content=content,
            extensions={"trace": furthest, "timeout": self._connecting},
        ) as response:
            names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, names, await _start_of(response))


class _Furthest:
    """Told by the connection what it does.

    httpcore does not close a connection whose TLS handshake is cancelled: that ends by its own time limit instead.
    """

    def __init__(self, whole: asyncio.Timeout) -> None:
        self.stage = Stage.NOTHING
        self._whole, self._until = whole, whole.when()

    async def __call__(self, step: str, _info: Mapping[str, Any]) -> None:
        if "start_tls." in step:
            self._whole.reschedule(None if step.endswith("started") else self._until)
        if step.endswith("send_request_body.started"):  # when it is complete it may long have been acted on
            self.stage = Stage.SENT


async def _start_of(response: httpcore.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_stream():
        body += part
        if len(body) >= _MAX_ANSWER:
            break
    return bytes(body[:_MAX_ANSWER])
