"""Request heads: read, kept small, and shown as an environ."""

from __future__ import annotations

import pytest

from libs.fanout.errors import Refused
from libs.fanout.head import Environ, Head, accept_websocket, check_websocket, environ, parse

pytestmark = pytest.mark.covers("S6")

BROWSER = (
    b"GET /socket.io/?EIO=4&transport=websocket&token=a%20b HTTP/1.1\r\nHost: example.org\r\n"
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUser-Agent: Mozilla/5.0\r\nAccept-Encoding: gzip\r\n"
    b"Accept-Language: de\r\nX-Tag: one\r\nx-tag: two\r\nCookie: a=1"
)


def browser() -> Head:
    return parse(BROWSER, "https", ("10.0.0.1", 4711))


def test_a_browsers_request() -> None:
    head = browser()
    assert head.wants_websocket
    assert head.query == {"EIO": "4", "transport": "websocket", "token": "a b"}
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in accept_websocket(head)


def test_the_environ_has_what_handlers_look_for() -> None:
    shown = environ(browser().packed(None))
    assert shown["HTTP_X_TAG"] == "one,two"
    assert shown["HTTP_ACCEPT_LANGUAGE"] == "de"
    assert shown["QUERY_STRING"] == "EIO=4&transport=websocket&token=a%20b"
    assert (shown["REMOTE_ADDR"], shown["REMOTE_PORT"]) == ("10.0.0.1", "4711")
    assert shown["wsgi.url_scheme"] == "https"
    assert shown["asgi.scope"]["path"] == "/socket.io/"
    assert "HTTP_SEC_WEBSOCKET_KEY" not in shown


def test_only_named_headers_are_kept() -> None:
    shown = environ(browser().packed(frozenset({"cookie"})))
    assert [name for name in shown if name.startswith("HTTP_")] == ["HTTP_COOKIE"]


def test_an_environ_that_was_written_to_is_told() -> None:
    changed: list[Environ] = []
    shown = Environ(browser().packed(None), changed.append)
    assert shown["HTTP_COOKIE"] == "a=1"
    assert changed == []
    shown["user"] = "ada"
    assert changed == [shown]
    assert shown["user"] == "ada"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /socket.io/ HTTP/1.0\r\nHost: x",
        b"GET /socket.io/\r\nHost: x",
        b"GET /a b HTTP/1.1\r\nHost: x",
        b"GET / HTTP/1.1\r\nno colon",
        b"GET / HTTP/1.1\r\n: x",
        b"GET / HTTP/1.1\r\nHost : x",
        b"GET / HTTP/1.1\r\n folded: x",
        b"GET / HTTP/1.1\r\nHost: x\nEvil: y",
    ],
)
def test_broken_heads_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        parse(data, "http", ("", 0))


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Version: 13", b"Version: 8", 426),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ=", 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"!!", 400),
        (b"GET ", b"POST ", 400),
    ],
)
def test_handshakes_against_the_rfc_are_refused(old: bytes, new: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        check_websocket(parse(BROWSER.replace(old, new), "http", ("", 0)))
    assert refused.value.status == status
