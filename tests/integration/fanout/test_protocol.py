"""What the written protocols say where stock python-socketio departs from them, and what only bytes can ask."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from tests.integration.fanout.raw import Raw
from tests.integration.fanout.server import BY_ASGI, OURS, Running
from tests.unit.fanout.clients import client_frame

pytestmark = pytest.mark.covers("S6")

POLLING = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
async def http(our_server: Running) -> Any:
    async with httpx.AsyncClient(base_url=our_server.url) as client:
        yield client


async def session(http: httpx.AsyncClient) -> str:
    """The path of a new polling session."""
    opening = json.loads((await http.get(POLLING)).text[1:])
    return f"{POLLING}&sid={opening['sid']}"


async def test_the_open_packet_has_times_below_a_second(http: httpx.AsyncClient) -> None:
    opening = json.loads((await http.get(POLLING)).text[1:])
    assert (opening["pingInterval"], opening["pingTimeout"]) == (300, 300)
    assert opening["upgrades"] == ["websocket"]


@pytest.mark.parametrize(
    ("method", "path", "number"),
    [
        ("GET", "/socket.io/?EIO=4", 0),
        ("GET", "/socket.io/?EIO=4&transport=pigeon", 0),
        ("GET", "/socket.io/?EIO=4&transport=websocket", 3),
        ("GET", "/socket.io/?EIO=3&transport=polling", 5),
        ("GET", "/socket.io/?transport=polling", 5),
        ("GET", f"{POLLING}&sid=unknown", 1),
        ("POST", f"{POLLING}&sid=unknown", 1),
        ("POST", POLLING, 2),
        ("PUT", POLLING, 2),
    ],
)
async def test_requests_that_are_refused(http: httpx.AsyncClient, method: str, path: str, number: int) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == 400
    assert answer.json()["code"] == number


async def test_posting_is_answered_ok(http: httpx.AsyncClient) -> None:
    path = await session(http)
    assert (await http.post(path, content="40")).text == "ok"
    assert (await http.get(path)).text.startswith('40{"sid":')


@pytest.mark.parametrize("body", ["abc", "", "4", "42{}", "b!!", "4\x1eabc"])
async def test_a_wrong_body_is_answered_and_ends_the_session(http: httpx.AsyncClient, body: str) -> None:
    path = await session(http)
    answer = await http.post(path, content=body)
    # Packets of Socket.IO are read in their turn, after the answer.
    assert answer.status_code == (200 if body == "4" else 400)
    deadline = time.monotonic() + 5
    while (answer := await http.get(path)).status_code != 400:
        assert time.monotonic() < deadline
        assert answer.text == "1"


async def test_a_body_too_large(http: httpx.AsyncClient) -> None:
    path = await session(http)
    assert (await http.post(path, content="4" + "x" * 1_000_001)).status_code == 413


async def test_a_second_poll_ends_the_session(http: httpx.AsyncClient) -> None:
    path = await session(http)
    first = asyncio.ensure_future(http.get(path))
    await asyncio.sleep(0.05)  # so that it is waiting
    assert (await http.get(path)).status_code == 400
    assert (await first).text == "1"
    assert (await http.get(path)).status_code == 400


async def test_what_a_dropped_poller_has_not_fetched_waits_for_it(our_server: Running, http: httpx.AsyncClient) -> None:
    path = await session(http)
    await http.post(path, content="40")
    sid = json.loads((await http.get(path)).text[2:])["sid"]
    await our_server.arun(our_server.sio.emit("last", 1, to=sid))
    our_server.call(lambda: our_server.sio.drop(sid))
    assert (await http.get(path)).text == '42["last",1]\x1e1'
    assert (await http.get(path)).status_code == 400


async def test_many_packets_in_one_post(http: httpx.AsyncClient) -> None:
    path = await session(http)
    await http.post(path, content="40")
    await http.get(path)
    body = "\x1e".join(f'42{number}["echo",{number}]' for number in range(200))
    assert (await http.post(path, content=body)).text == "ok"
    got: list[str] = []
    while len(got) < 200:
        got += [packet for packet in (await http.get(path)).text.split("\x1e") if packet.startswith("43")]
    assert sorted(got) == sorted(f"43{number}[{number}]" for number in range(200))


async def test_a_poll_that_times_out_ends_in_time(http: httpx.AsyncClient) -> None:
    path = await session(http)
    began = time.monotonic()
    assert (await http.get(path)).text == "2"
    assert (await http.get(path)).text == "1"
    assert 0.5 < time.monotonic() - began < 1.0
    assert (await http.get(path)).status_code == 400


async def test_a_socket_that_answers_no_ping_ends_in_time(our_server: Running) -> None:
    raw = await Raw.joined(our_server.port)
    began = time.monotonic()
    assert await raw.closed() == (None if our_server.kind == OURS else 1000)  # ASGI knows no abort
    assert 0.4 < time.monotonic() - began < 1.0


async def test_a_namespace_that_there_is_not(our_server: Running) -> None:
    raw = await Raw.open(our_server.port)
    await raw.text()
    raw.send("40/unknown,")
    assert await raw.text() == '44/unknown,{"message":"Invalid namespace"}'


async def test_a_failing_connect_handler_is_answered(our_server: Running) -> None:
    raw = await Raw.open(our_server.port)
    await raw.text()
    raw.send('40{"fail":true}')
    assert await raw.text() == '44{"message":"Internal server error"}'
    raw.send('40{"user":"ada"}')
    assert (await raw.text()).startswith('40{"sid"')


@pytest.mark.parametrize("text", ["5", "8", "", "4", "4abc", "42", "42{}", '42["disconnect"]', "44{}", '451-["x"]x'])
async def test_a_malformed_packet_closes_at_once(our_server: Running, text: str) -> None:
    raw = await Raw.joined(our_server.port)
    raw.send(text)
    assert await raw.closed() == 1002


async def test_unexpected_binary_closes(our_server: Running) -> None:
    raw = await Raw.joined(our_server.port)
    raw.send(b"bytes")
    assert await raw.closed() == 1002


async def test_headers_of_a_browser(our_server: Running) -> None:
    headers = "".join(f"X-Header-{number}: {'v' * 200}\r\n" for number in range(40))
    raw = await Raw.open(our_server.port, headers=headers, connection="keep-alive, Upgrade")
    assert b" 101 " in raw.head
    assert (await raw.text()).startswith("0{")


async def test_a_request_in_pieces(our_server: Running) -> None:
    raw = await Raw.open(our_server.port, pieces=20)
    assert b" 101 " in raw.head
    assert (await raw.text()).startswith("0{")


@pytest.mark.parametrize(
    "path",
    ["/socket.io/?EIO=3&transport=websocket", "/socket.io/?EIO=4", "/socket.io/?EIO=4&transport=websocket&sid=x"],
)
async def test_websockets_that_are_refused(our_server: Running, path: str) -> None:
    raw = await Raw.open(our_server.port, path)
    assert (b" 403 " if our_server.kind == BY_ASGI else b" 400 ") in raw.head


async def test_frames_byte_by_byte_and_many_at_once(our_server: Running) -> None:
    raw = await Raw.joined(our_server.port)
    for byte in client_frame(b'421["echo","a"]'):
        raw.writer.write(bytes((byte,)))
        await raw.writer.drain()
    assert await raw.text() == '431["a"]'
    raw.writer.write(client_frame(b'422["echo","b"]') + client_frame(b'423["echo","c"]'))
    assert [await raw.text(), await raw.text()] == ['432["b"]', '433["c"]']


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (client_frame(b"4\xff\xfe"), 1007),
        (b"\xc1\x80abcd", 1002),
        (client_frame(b"x", 0), 1002),
        (b"\x82\xff" + (10**9).to_bytes(8, "big") + b"abcd", 1009),
    ],
)
async def test_broken_frames_close_with_their_code(our_server: Running, data: bytes, code: int) -> None:
    raw = await Raw.joined(our_server.port)
    raw.writer.write(data)
    assert await raw.closed() in ((code,) if our_server.kind == OURS else (code, 1006, 1002, None))


async def test_a_client_that_upgrades_and_one_that_comes_too_late(our_server: Running, http: httpx.AsyncClient) -> None:
    path = await session(http)
    await http.post(path, content="40")
    await http.get(path)
    upgrade = path.replace("polling", "websocket")
    first = await Raw.open(our_server.port, upgrade)
    first.send("2probe")
    assert await first.text() == "3probe"
    assert (await http.get(path)).text == "6"
    late = await Raw.open(our_server.port, upgrade)
    assert await late.closed() is not None
    first.send("5")
    first.send('421["echo",1]')
    assert await first.text() == "431[1]"
    assert (await http.get(path)).status_code == 400


async def test_an_upgrade_that_is_given_up_leaves_polling_as_it_was(
    our_server: Running, http: httpx.AsyncClient
) -> None:
    path = await session(http)
    await http.post(path, content="40")
    await http.get(path)
    raw = await Raw.open(our_server.port, path.replace("polling", "websocket"))
    raw.send("2probe")
    await raw.text()
    raw.writer.write(client_frame(b"", 8))
    await raw.closed()
    await http.post(path, content='421["echo",1]')
    packets: list[str] = []
    while "431[1]" not in packets:
        packets += (await http.get(path)).text.split("\x1e")


async def test_other_applications_on_the_port(our_server: Running, http: httpx.AsyncClient) -> None:
    assert (await http.post("/rest", content="body")).text == "other: body"
    raw = await Raw.open(our_server.port, "/other")
    raw.send("hello")
    assert await raw.text() == "other: hello"
