"""What an application sees is the same on python-socketio's own server and on ours, by whichever transport."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import socketio

from tests.integration.fanout.server import STOCK, Running

pytestmark = pytest.mark.covers("S6")

TRANSPORTS = [("websocket",), ("polling",), ("polling", "websocket")]


@pytest.fixture(params=TRANSPORTS, ids="+".join)
async def client(request: pytest.FixtureRequest, any_server: Running, connect: Any) -> Any:
    """A client in both namespaces, by each transport."""
    return await connect(
        any_server,
        *request.param,
        auth={"user": "ada"},
        headers={"X-Agent": "agent"},
        namespaces=["/", "/custom"],
    )


async def test_acknowledgements(client: Any) -> None:
    assert await client.call("echo", {"x": [1, "é€😀"]}) == {"x": [1, "é€😀"]}
    assert await client.call("echo", ("a", 2)) == ("a", 2)
    large = {"x": b"\0\1", "y": [b"z" * 70_000]}
    assert await client.call("echo", large) == large


async def test_the_server_asks(any_server: Running, client: Any) -> None:
    assert await any_server.arun(any_server.sio.call("ask", 21, to=client.get_sid())) == 42


async def test_session_and_environ(any_server: Running, client: Any) -> None:
    assert await client.call("session") == {"user": "ada", "agent": "agent"}
    environ = any_server.call(lambda: any_server.sio.get_environ(client.get_sid()))
    assert "EIO=4" in environ["QUERY_STRING"]


async def test_namespaces_and_binary_broadcast(client: Any, until: Any) -> None:
    await client.emit("shout", [b"\5\6"], namespace="/custom")
    await until(lambda: ("shouted", {"data": [b"\5\6"]}) in client.heard)


async def test_order_over_rooms_sids_and_everybody(any_server: Running, client: Any, until: Any) -> None:
    sid, sio = client.get_sid(), any_server.sio
    # Stock answers a poll with all there is, and python-socketio's client takes no more than 16 packets.
    count = 15 if any_server.kind == STOCK and client.transport() == "polling" else 300

    async def emit() -> None:
        for number in range(count):
            target = ("room", sid, None)[number % 3]
            await sio.emit("number", number, room=target)
            if number % 50 == 0:
                await asyncio.sleep(0.002)

    await any_server.arun(emit())
    await until(lambda: len(client.heard) >= count)
    assert [data for event, data in client.heard if event == "number"] == list(range(count))


async def test_skipping_and_rooms(any_server: Running, client: Any, until: Any) -> None:
    sid, sio = client.get_sid(), any_server.sio
    assert set(any_server.call(lambda: sio.rooms(sid))) == {sid, "room"}
    await any_server.arun(sio.emit("skipped", 1, room="room", skip_sid=sid))
    await any_server.arun(sio.leave_room(sid, "room"))
    await any_server.arun(sio.emit("left", 1, room="room"))
    await any_server.arun(sio.enter_room(sid, "other"))
    await any_server.arun(sio.emit("entered", 1, room=["other", "nobody"]))
    await until(lambda: client.heard)
    assert client.heard == [("entered", 1)]
    with pytest.raises((ValueError, KeyError)):
        await any_server.arun(sio.enter_room("nobody", "room"))


async def test_a_failing_handler_harms_nobody(client: Any) -> None:
    await client.emit("fail")
    assert await asyncio.gather(*(client.call("slow", number) for number in range(5))) == [0, 1, 2, 3, 4]


async def test_pings_keep_it_alive(client: Any) -> None:
    await asyncio.sleep(2.5)  # time is what is tested: more than two intervals
    assert await client.call("echo", 1) == 1


async def test_the_server_disconnects(any_server: Running, client: Any, until: Any) -> None:
    sid = client.get_sid()
    await any_server.arun(any_server.sio.disconnect(sid))
    await until(lambda: ("disconnect", sid, "server disconnect", "ada") in any_server.log)


async def test_the_client_disconnects_and_nothing_is_left(any_server: Running, client: Any, until: Any) -> None:
    sid = client.get_sid()
    await client.disconnect()
    await until(lambda: any(entry[:2] == ("disconnect", sid) for entry in any_server.log))
    assert sum(entry[:2] == ("disconnect", sid) for entry in any_server.log) == 1
    await until(lambda: not any_server.call(lambda: list(any_server.sio.manager.get_participants("/", sid))))


async def test_refusal(any_server: Running, connect: Any) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        await connect(any_server, auth={"refuse": True})


async def test_an_unknown_namespace(any_server: Running, connect: Any) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        await connect(any_server, namespaces=["/unknown"])
