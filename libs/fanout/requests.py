"""Long-polling over HTTP: opening a session, fetching and sending packets, as Engine.IO v4 is written."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from engineio import packet as engineio_packet

from libs.fanout import admission, frames
from libs.fanout.answers import Answer, refusal, respond
from libs.fanout.errors import Refused, Violation
from libs.fanout.fast_json import FastJson
from libs.fanout.head import Head, from_scope
from libs.fanout.polling import NOOP_PACKET, Polling
from libs.fanout.reasons import Reason
from libs.fanout.session import Session
from libs.fanout.waiting import read_body, while_connected

if TYPE_CHECKING:
    from libs.fanout.engine import Engine

_SEPARATOR = "\x1e"


async def serve(engine: Engine, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
    """One request, by ASGI."""
    head = from_scope(scope)
    try:
        admission.check_origin(engine, head)
        answer = await _answer(engine, head, receive)
    except Refused as refused:
        answer = refusal(refused)
    await respond(engine, head, answer, send)


async def _answer(engine: Engine, head: Head, receive: Any) -> Answer:
    if head.method == "OPTIONS":
        return Answer(200, b"ok")
    sid = admission.check(engine, head)
    if sid is None:
        if head.method != "GET":
            raise Refused(2, "Bad handshake method")
        return await _open(engine, head)
    if head.query["transport"] != "polling":
        raise Refused(3, "Bad request")
    if head.method == "GET":
        return await _fetch(engine, sid, receive)
    if head.method == "POST":
        return await _push(engine, _polling_session(engine, sid), receive)
    raise Refused(3, "Bad request")


async def _open(engine: Engine, head: Head) -> Answer:
    if head.query["transport"] != "polling":
        raise Refused(3, "Bad request")
    session = engine.session(head, polling=True)
    if not engine.receiver.immediate(session):
        admission.check_reply(await engine.receiver.opened(session), session)
    session.connected = True
    text = "0" + FastJson.dumps(engine.greeting(session))
    assert session.polling is not None
    packets = session.polling.take()  # what a connect handler has sent
    return Answer(200, _SEPARATOR.join((text, *packets)).encode(), admission.cookie(engine, session.sid))


async def _fetch(engine: Engine, sid: str, receive: Any) -> Answer:
    last = engine.lingering.pop(sid, None)
    if last is not None:
        return Answer(200, _SEPARATOR.join(last.take()).encode())
    session = _polling_session(engine, sid)
    if session.upgrading:
        return Answer(200, NOOP_PACKET.encode())
    polling = _claim(session)
    engine.flush.write_now(session)
    try:
        if not await while_connected(polling.wait(), receive):
            session.end(Reason.TRANSPORT_CLOSE)  # the client went away, and with it perhaps an answer
    finally:
        polling.fetching = False
    return Answer(200, _SEPARATOR.join(polling.take() or [NOOP_PACKET]).encode())


def _claim(session: Session) -> Polling:
    polling = session.polling
    assert polling is not None
    if polling.fetching:
        session.end(Reason.TRANSPORT_ERROR)
        raise Refused(3, "Bad request")
    polling.fetching = True
    return polling


async def _push(engine: Engine, session: Session, receive: Any) -> Answer:
    polling = session.polling
    assert polling is not None
    if polling.posting:
        session.end(Reason.TRANSPORT_ERROR)
        raise Refused(3, "Bad request")
    polling.posting = True
    try:
        body = await read_body(receive, engine.max_http_buffer_size)
        if body is None:
            session.end(Reason.TRANSPORT_ERROR)
            raise Refused(3, "Payload too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        _take_packets(session, body)
        if session.held and not session.ended:
            await polling.until_calm()
    finally:
        polling.posting = False
    return Answer(200, b"ok")


def _take_packets(session: Session, body: bytes) -> None:
    try:
        for packet in body.decode().split(_SEPARATOR):
            if session.ended:
                return
            if packet.startswith("b"):
                session.on_binary(base64.b64decode(packet[1:], validate=True))
            else:
                session.on_text(packet)
    except (Violation, UnicodeDecodeError, binascii.Error):
        session.fail(1002)
        raise Refused(3, "Bad request") from None


def _polling_session(engine: Engine, sid: str) -> Session:
    session: Session = engine.sockets[sid]
    if session.polling is None:
        raise Refused(3, "Bad request")  # it has gone on to WebSocket
    return session


def framed(data: Any) -> bytes:
    """A message as frames: text and bytes as they are, anything else as JSON."""
    if isinstance(data, (str, bytes, bytearray)):
        return frames.message(data)
    return frames.message(FastJson.dumps(data))


def framed_packet(packet: engineio_packet.Packet) -> bytes:
    """A packet of python-engineio as a frame."""
    encoded = packet.encode()
    return frames.frame(encoded.encode()) if isinstance(encoded, str) else frames.frame(encoded, frames.BINARY)
