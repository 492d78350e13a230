"""Opening a WebSocket on a transport: a new session, or one that comes over from polling."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from libs.fanout import admission, frames
from libs.fanout.answers import plain, refusal
from libs.fanout.errors import Refused
from libs.fanout.fast_json import FastJson
from libs.fanout.head import Head, accept_websocket, check_websocket
from libs.fanout.session import Session
from libs.fanout.upgrade import Upgrade

if TYPE_CHECKING:
    from libs.fanout.engine import Engine

Headers = tuple[tuple[str, str], ...]


class Handshake:
    """The request on a bare connection. Other ways to speak WebSocket answer it differently."""

    def __init__(self, head: Head) -> None:
        self.head = head

    def check(self) -> None:
        """Raises Refused for a request that breaks RFC 6455."""
        check_websocket(self.head)

    def accept(self, headers: Headers = ()) -> bytes:
        """What is written before the first frame."""
        return accept_websocket(self.head, headers)

    def refuse(self, refused: Refused) -> bytes:
        """What is written before the end."""
        return plain(refusal(refused))


def open_websocket(engine: Engine, transport: asyncio.Transport, handshake: Handshake) -> None:
    """Answers a WebSocket request. Afterwards the transport belongs to a session, or is closing."""
    head = handshake.head
    try:
        admission.check_origin(engine, head)
        sid = admission.check(engine, head)
        if head.query["transport"] != "websocket":
            raise Refused(3, "Bad request")
        handshake.check()
        if sid is None:
            _open(engine, transport, handshake)
            return
        _upgrade(engine, sid, transport, handshake)
    except Refused as refused:
        _refuse(transport, handshake, refused)


def _upgrade(engine: Engine, sid: str, transport: asyncio.Transport, handshake: Handshake) -> None:
    session: Session | None = engine.sockets.get(sid)
    if session is None or not engine.upgradable:
        raise Refused(3, "Bad request")
    if session.polling is None or session.upgrade is not None:  # the protocol's tests want it accepted and closed
        transport.write(handshake.accept() + frames.close(1000))
        transport.close()
        return
    upgrade = Upgrade(engine, session, transport)
    transport.write(handshake.accept())
    transport.set_protocol(upgrade)


def _open(engine: Engine, transport: asyncio.Transport, handshake: Handshake) -> None:
    session = engine.session(handshake.head, polling=False)
    if engine.receiver.immediate(session):
        _greet(engine, session, transport, handshake)
        return
    session.held = True
    transport.set_protocol(session)
    engine.intake.run(_ask(engine, session, transport, handshake))


async def _ask(engine: Engine, session: Session, transport: asyncio.Transport, handshake: Handshake) -> None:
    reply = await engine.receiver.opened(session)
    if session.ended:
        return
    try:
        admission.check_reply(reply, session)
    except Refused as refused:
        _refuse(transport, handshake, refused)
        return
    _greet(engine, session, transport, handshake)
    session.release()


def _greet(engine: Engine, session: Session, transport: asyncio.Transport, handshake: Handshake) -> None:
    opening = frames.frame(b"0" + FastJson.dumps(engine.greeting(session)).encode())
    transport.write(handshake.accept(admission.cookie(engine, session.sid)) + opening)
    session.bind(transport)
    engine.flush.write_now(session)


def _refuse(transport: asyncio.Transport, handshake: Handshake, refused: Refused) -> None:
    transport.write(handshake.refuse(refused))
    transport.close()
