"""The head of a request: read from bytes or from an ASGI scope, kept as few bytes, and shown as an environ."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import UserDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from libs.fanout.errors import Refused

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_UNWANTED = (b"sec-", b"upgrade", b"connection", b"accept", b"cache-control", b"pragma", b"content-", b"dnt", b"te")
_KEY_BYTES = 16

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Head:
    """A request: method, target as sent, headers with lower-case names, `http` or `https`, the client's address."""

    method: str
    target: str
    headers: Headers
    scheme: str
    peer: tuple[str, int]
    query: dict[str, str] = field(init=False)  # the first value of each parameter

    def __post_init__(self) -> None:
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        object.__setattr__(self, "query", dict(reversed(pairs)))

    def header(self, name: bytes) -> bytes:
        """All values of a header, joined; empty when there is none."""
        return b",".join(value for key, value in self.headers if key == name)

    @property
    def wants_websocket(self) -> bool:
        """It asks for a WebSocket, whether rightly or not. Firefox sends `Connection: keep-alive, Upgrade`."""
        tokens = {token.strip().lower() for token in self.header(b"connection").split(b",")}
        return b"upgrade" in tokens and self.header(b"upgrade").lower() == b"websocket"

    def packed(self, kept: frozenset[str] | None) -> bytes:
        """What is kept of it while the session lives."""
        first = f"{self.method} {self.scheme} {self.peer[0]} {self.peer[1]} {self.target}".encode("latin-1")
        lines = [name + b":" + value for name, value in self.headers if _wanted(name, kept)]
        return b"\n".join((first, *lines))


def parse(data: bytes, scheme: str, peer: tuple[str, int]) -> Head:
    """A request's head from its bytes, up to and without the empty line. Raises Refused."""
    first, *lines = data.split(b"\r\n")
    words = first.decode("latin-1").split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise Refused(3, "Bad request")
    headers: Headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip() or b"\n" in line or b"\0" in line:
            raise Refused(3, "Bad request")
        headers.append((name.lower(), value.strip()))
    return Head(words[0], words[1], headers, scheme, peer)


def from_scope(scope: Mapping[str, Any]) -> Head:
    """The head of an ASGI request or WebSocket."""
    path = scope.get("raw_path") or scope["path"].encode()
    target = path.decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
    peer = scope.get("client") or ("", 0)
    headers = [(bytes(name).lower(), bytes(value)) for name, value in scope["headers"]]
    return Head(scope.get("method", "GET"), target, headers, scheme, (peer[0], peer[1]))


def check_websocket(head: Head) -> None:
    """Raises Refused when the request breaks RFC 6455."""
    if head.header(b"sec-websocket-version") != b"13":
        raise Refused(3, "Unsupported WebSocket version", 426)
    if head.method != "GET" or not _is_key(head.header(b"sec-websocket-key")):
        raise Refused(3, "Invalid WebSocket handshake")


def accept_websocket(head: Head, extra: Iterable[tuple[str, str]] = ()) -> bytes:
    """The answer 101 to a request that was checked."""
    key = head.header(b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    more = "".join(f"{name}: {value}\r\n" for name, value in extra).encode("latin-1")
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept + b"\r\n" + more + b"\r\n"
    )  # fmt: skip


class Environ(UserDict[str, Any]):
    """WSGI's names for a kept head. It is made whenever somebody asks; `changed` hears when somebody wrote to it."""

    def __init__(self, packed: bytes, changed: Callable[[Environ], None]) -> None:
        self._packed, self._changed = packed, changed

    @cached_property
    def data(self) -> dict[str, Any]:  # type: ignore[override]
        """Many handlers never look."""
        return environ(self._packed)

    def __setitem__(self, name: str, value: Any) -> None:
        self.data[name] = value
        self._changed(self)

    def __delitem__(self, name: str) -> None:
        del self.data[name]
        self._changed(self)


def environ(packed: bytes) -> dict[str, Any]:
    """The environ of a kept head, with the keys that python-engineio gives."""
    first, *lines = packed.split(b"\n")
    method, scheme, host, port, target = first.decode("latin-1").split(" ", 4)
    path, _, query = target.partition("?")
    headers = [(name, value) for name, _, value in (line.partition(b":") for line in lines)]
    names: dict[str, Any] = {}
    for raw, value in headers:
        name = "HTTP_" + raw.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        names[name] = f"{names[name]},{text}" if name in names else text
    scope = {"type": "websocket", "path": unquote(path), "query_string": query.encode(), "headers": headers,
             "client": (host, int(port)), "scheme": scheme}  # fmt: skip
    return names | {
        "wsgi.version": (1, 0), "wsgi.async": True, "wsgi.multithread": False, "wsgi.multiprocess": False,
        "wsgi.run_once": False, "wsgi.url_scheme": names.get("HTTP_X_FORWARDED_PROTO", scheme),
        "SERVER_SOFTWARE": "asgi", "SERVER_NAME": "asgi", "SERVER_PORT": "0", "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": unquote(path), "QUERY_STRING": query,
        "RAW_URI": target, "REMOTE_ADDR": host, "REMOTE_PORT": port, "asgi.scope": scope,
    }  # fmt: skip


def _wanted(name: bytes, kept: frozenset[str] | None) -> bool:
    if kept is None:
        return not name.startswith(_UNWANTED) or name == b"accept-language"
    return name.decode("latin-1") in kept


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False
