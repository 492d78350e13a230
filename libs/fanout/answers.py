"""HTTP answers: compressed where the client takes it, with the headers that browsers ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from libs.fanout.errors import Refused
from libs.fanout.head import Head, environ

if TYPE_CHECKING:
    from libs.fanout.engine import Engine


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body, and headers beside the content type."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "text/plain; charset=UTF-8"


def refusal(refused: Refused) -> Answer:
    """`{"code":1,"message":"Session ID unknown"}`, as the reference server says it."""
    body = json.dumps({"code": refused.number, "message": refused.message}, separators=(",", ":")).encode()
    more = (("Sec-WebSocket-Version", "13"),) if refused.status == HTTPStatus.UPGRADE_REQUIRED else ()
    return Answer(refused.status, body, more, "application/json")


def plain(answer: Answer) -> bytes:
    """The answer to a request that no HTTP server has seen; the connection ends with it."""
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + answer.body


async def respond(engine: Engine, head: Head, answer: Answer, send: Any) -> None:
    """By ASGI."""
    body, encoding = _compressed(engine, head, answer.body)
    headers = [("Content-Type", answer.content_type), ("Cache-Control", "no-store"), *answer.headers, *encoding]
    headers += engine._cors_headers(environ(head.packed(None)))  # noqa: SLF001 - python-engineio's rules for origins
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _compressed(engine: Engine, head: Head, body: bytes) -> tuple[bytes, list[tuple[str, str]]]:
    if not engine.http_compression or len(body) < engine.compression_threshold:
        return body, []
    for part in head.header(b"accept-encoding").decode("latin-1").split(","):
        encoding = part.split(";")[0].strip()
        if encoding in engine.compression_methods:
            return getattr(engine, "_" + encoding)(body), [("Content-Encoding", encoding)]
    return body, []
