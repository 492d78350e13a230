"""Reading a request's body: its size is checked while it comes in, its media type before."""

from __future__ import annotations

from starlette.requests import Request

from libs.http.problems import Problem

_JSON = "application/json"


async def read_json_body(request: Request, limit: int) -> bytes:
    """The body of a JSON request, of at most `limit` bytes. Raises Problem: 413 or 415.

    A request without a media type is taken for JSON; `application/…+json` is JSON too.
    """
    kind = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if kind != _JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "unsupported-media-type", f"the body must be {_JSON}", headers={"Accept": _JSON})
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> Problem:
    # What is still on its way is not read: the connection cannot be used for another request.
    return Problem(413, "too-large", f"the body may have {limit} bytes", headers={"Connection": "close"}, limit=limit)
