"""Reading a request's body: its size is checked while it comes in, its media type before."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from libs.http.problems import Problem

_JSON = "application/json"
#: So much of a body that is too large is read and thrown away, so that its sender gets to see why it was refused:
#: whoever is still sending when the connection ends sees only that.
_PATIENCE = 8 * 1024 * 1024


async def read_json_body(request: Request, limit: int) -> bytes:
    """The body of a JSON request, of at most `limit` bytes. Raises Problem: 413 or 415.

    A request without a media type is taken for JSON; `application/…+json` is JSON too.
    """
    kind = _kind(request, _JSON)
    if kind != _JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise _unsupported(_JSON)
    return await _read(request, limit)


async def read_body(request: Request, limit: int, kinds: Sequence[str]) -> bytes:
    """The body of a request of one of these media types, of at most `limit` bytes. Raises Problem: 413 or 415."""
    if _kind(request, kinds[0]) not in kinds:
        raise _unsupported(", ".join(kinds))
    return await _read(request, limit)


def _kind(request: Request, default: str) -> str:
    return request.headers.get("content-type", default).partition(";")[0].strip().lower()


def _unsupported(accepted: str) -> Problem:
    return Problem(415, "unsupported-media-type", f"the body must be {accepted}", headers={"Accept": accepted})


async def _read(request: Request, limit: int) -> bytes:
    if _announced(request) > limit + _PATIENCE:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit + _PATIENCE:
            break
        if size <= limit:
            chunks.append(chunk)
    if size > limit:
        raise _too_large(limit)
    return b"".join(chunks)


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _too_large(limit: int) -> Problem:
    return Problem(413, "too-large", f"the body may have {limit} bytes", headers={"Connection": "close"}, limit=limit)
