"""`/api/v1/unsubscribe/{token}`: the link in every mail, for people and for one click of their mail program (RFC 8058).

Only a POST changes anything: what looks at links before people do sends GET.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from libs.auth.links import UNSUBSCRIBE, Unsubscribe, verify
from libs.http.problems import Problem
from services.ingest.ports.reporting import Unsubscribes

_MAX_FORM = 4_096
_ALL = "all"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def router(unsubscribes: Unsubscribes, secret: str | None) -> APIRouter:
    """`secret` signs the links; without it there are none."""
    routes = APIRouter(prefix=UNSUBSCRIBE.rstrip("/"), tags=["unsubscribe"])

    def asked(token: str) -> Unsubscribe:
        found = verify(token, secret) if secret else None
        if found is None:
            raise Problem(404, "not-found", "this link was not made here")
        return found

    @routes.get("/{token}", response_class=HTMLResponse)
    async def look(token: str) -> Response:
        """What may be unsubscribed from."""
        found = asked(token)
        kind, channel = escape(found.type), escape(found.channel)
        return _page(
            f"<p>You were sent <b>{kind}</b> by {channel}.</p><form method=post>"
            f"<button name=scope value=type>No more {kind} by {channel}</button>"
            f"<button name=scope value={_ALL}>Nothing more by {channel}</button></form>"
        )

    @routes.post("/{token}", response_class=HTMLResponse)
    async def unsubscribe(request: Request, token: str) -> Response:
        """Unsubscribes. A mail program says `List-Unsubscribe=One-Click`, the page `scope=type` or `scope=all`."""
        found = asked(token)
        form = parse_qs((await request.body())[:_MAX_FORM].decode("utf-8", "replace"))
        everything = form.get("scope") == [_ALL]
        await unsubscribes.apply(found, everything=everything)
        what = "Nothing" if everything else f"No more <b>{escape(found.type)}</b>"
        return _page(f"<p>{what} will be sent to you by {escape(found.channel)}.</p>")

    return routes


def _page(content: str) -> HTMLResponse:
    style = "body{font:16px system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}button{display:block;margin:1em}"
    start = '<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">'
    return HTMLResponse(f"{start}<title>Unsubscribe</title><style>{style}</style>{content}</html>", headers=_HEADERS)
