"""python-socketio's client managers on our rooms: its own questions, and a manager that speaks to other processes."""

from __future__ import annotations

from typing import Any

import pytest
from socketio.async_pubsub_manager import AsyncPubSubManager

from libs.fanout import AsyncServer
from libs.fanout.head import parse
from libs.fanout.members import FanoutManager

pytestmark = pytest.mark.covers("S6")

HEAD = parse(b"GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: x", "http", ("127.0.0.1", 1))


class Neighbours(AsyncPubSubManager):  # type: ignore[misc]
    """Keeps what other processes would be told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, Any]] = []

    async def _publish(self, data: dict[str, Any]) -> None:
        self.told.append(data)

    async def _listen(self) -> Any:
        return
        yield


async def member(server: Any, namespace: str = "/") -> str:
    """A connected client without a transport."""
    session = server.eio.session(HEAD, polling=True)
    sid: str = await server.manager.pre_connect(session.sid, namespace)
    await server.manager.connect(sid, namespace)
    return sid


def heard(server: Any, sid: str, namespace: str = "/") -> list[str]:
    """Packets that wait for a client."""
    session = server.manager.member(sid, namespace).session
    server.eio.flush.write_now(session)
    return [packet for packet in session.polling.take() if packet.startswith("4")]


async def test_rooms_as_the_library_shows_them() -> None:
    server: Any = AsyncServer()
    sid = await member(server)
    await server.enter_room(sid, "room")
    eio_sid = server.manager.eio_sid_from_sid(sid, "/")
    assert server.manager.rooms == {"/": {None: {sid: eio_sid}, sid: {sid: eio_sid}, "room": {sid: eio_sid}}}
    assert list(server.manager.get_participants("/", "room")) == [(sid, eio_sid)]
    assert list(server.manager.get_namespaces()) == ["/"]
    await server.close_room("room")
    assert server.rooms(sid) == [sid]
    server.manager.basic_disconnect(sid, "/")
    assert server.manager.rooms == {}
    await server.eio.shutdown()


async def test_a_session_joins_a_namespace_once() -> None:
    server: Any = AsyncServer()
    sid = await member(server)
    eio_sid = server.manager.eio_sid_from_sid(sid, "/")
    assert await server.manager.pre_connect(eio_sid, "/") is None
    other = await server.manager.pre_connect(eio_sid, "/other")
    assert server.manager.is_pre_connected(other, "/other")
    assert not server.manager.is_connected(other, "/other")
    await server.eio.shutdown()


async def test_a_manager_that_speaks_to_other_processes_keeps_its_word() -> None:
    neighbours = Neighbours()
    server: Any = AsyncServer(client_manager=neighbours)
    assert isinstance(neighbours, FanoutManager)
    sid = await member(server)
    await server.enter_room(sid, "room")
    await server.emit("event", 1, room="room")
    told = neighbours.told[-1]
    assert (told["method"], told["event"], told["room"]) == ("emit", "event", "room")
    assert heard(server, sid) == ['42["event",1]']
    await server.eio.shutdown()


async def test_the_constructor_takes_what_the_librarys_takes() -> None:
    server: Any = AsyncServer(
        None,
        False,
        namespaces="*",
        always_connect=True,
        async_handlers=False,
        ping_interval=(3, 1),
        ping_timeout=2,
        max_http_buffer_size=5_000,
        allow_upgrades=False,
        transports=["polling"],
        cors_allowed_origins=[],
        cookie="io",
    )
    session = server.eio.session(HEAD, polling=True)
    greeting = server.eio.greeting(session)
    assert (greeting["pingInterval"], greeting["pingTimeout"], greeting["maxPayload"]) == (4_000, 2_000, 5_000)
    assert greeting["upgrades"] == []
    with pytest.raises(ValueError, match="ASGI"):
        AsyncServer(async_mode="aiohttp")
    await server.eio.shutdown()
