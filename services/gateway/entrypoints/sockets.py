"""The namespaces of Socket.IO: each speaks its dialect; what a client says is read and handed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import socketio

from services.gateway.domain.dialects.dialect import Dialect
from services.gateway.handlers.door import Door

_MAX_TOKEN = 16 * 1024


class DialectNamespace(socketio.AsyncNamespace):
    """The namespace of a dialect."""

    def __init__(self, dialect: Dialect, door: Door) -> None:
        super().__init__(dialect.namespace)
        self._dialect, self._door = dialect, door

    async def on_connect(self, sid: str, environ: Mapping[str, Any], auth: Any = None) -> None:
        """The client's CONNECT has been answered already, so that it hears why it is refused."""
        position = auth.get("position") if isinstance(auth, dict) else None
        await self._door.enter(self._dialect.namespace, self._dialect, sid, token_of(environ, auth), position)

    async def on_disconnect(self, sid: str, _reason: str) -> None:
        """The socket or the session is over, whoever ended it."""
        self._door.leave(sid)

    async def on_authenticate(self, sid: str, data: Any = None) -> None:
        """`authenticate {token}`: the client goes on with a new token."""
        await self._door.refresh(sid, _text(data.get("token")) if isinstance(data, dict) else _text(data))


def token_of(environ: Mapping[str, Any], auth: Any) -> str | None:
    """The token of a connection: from the auth object, else the Authorization header, else the query (S22)."""
    given = auth.get("token") if isinstance(auth, dict) else None
    return _text(given) or _text(environ.get("HTTP_AUTHORIZATION")) or _from_query(environ.get("QUERY_STRING", ""))


def _from_query(query: str) -> str | None:
    return next(iter(parse_qs(query).get("token", ())), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() and len(value) <= _MAX_TOKEN else None
