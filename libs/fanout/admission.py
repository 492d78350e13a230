"""Which requests are served: transport, version, session and origin, by the rules of Engine.IO v4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from libs.fanout.errors import Refused
from libs.fanout.head import Head, environ
from libs.fanout.reasons import Reason
from libs.fanout.session import Session

if TYPE_CHECKING:
    from libs.fanout.engine import Engine


def check(engine: Engine, head: Head) -> str | None:
    """The session that a request names, None when it opens one. Raises Refused."""
    query = head.query
    if query.get("transport") not in engine.transports:
        raise Refused(0, "Transport unknown")
    sid = query.get("sid")
    if sid is None:
        if query.get("EIO") != "4":
            raise Refused(5, "Unsupported protocol version")
        if engine.draining:
            raise Refused(3, "Going away", 503)
    elif sid not in engine.lingering and (sid not in engine.sockets or engine.sockets[sid].ended):
        raise Refused(1, "Session ID unknown")
    return sid


def check_origin(engine: Engine, head: Head) -> None:
    """Raises Refused for a page that may not call. Requests without an origin do not come from a page."""
    origin = head.header(b"origin").decode("latin-1")
    if not origin or engine.cors_allowed_origins == []:
        return
    allowed: list[str] | None = engine._cors_allowed_origins(environ(head.packed(None)))  # noqa: SLF001
    if allowed is not None and origin not in allowed:
        raise Refused(4, f"{origin} is not an accepted origin.", 400)


def check_reply(reply: Any, session: Session) -> None:
    """What a plain Engine.IO server's connect handler returned. Raises Refused, and ends the session, for a no."""
    if reply is not None and reply is not True:
        session.end(Reason.SERVER_DISCONNECT)
        raise Refused(4, str(reply or "Unauthorized"), 401)


def cookie(engine: Engine, sid: str) -> tuple[tuple[str, str], ...]:
    """The header that sets the session's cookie, where the server was told to have one."""
    if not engine.cookie:
        return ()
    attributes = engine.cookie
    if not isinstance(attributes, dict):
        attributes = {"name": attributes, "path": "/", "SameSite": "Lax"}
    return (("Set-Cookie", engine._generate_sid_cookie(sid, attributes)),)  # noqa: SLF001
