"""What one client may cost: unread bytes, floods, idle sockets, slow requests; and how all of them are let go."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from libs.fanout import AsyncServer, Limits, uvicorn_options
from tests.integration.fanout.raw import Raw
from tests.integration.fanout.server import BY_ASGI, OURS, client_tls, serving

pytestmark = pytest.mark.covers("S6")

ROADS = pytest.mark.parametrize("kind", [OURS, BY_ASGI])


async def test_a_slow_client_is_cut_off_and_a_fast_one_is_not(until: Any) -> None:
    with serving(OURS) as server:
        slow = await Raw.joined(server.port, '{"user":"slow"}')
        reading: Any = slow.writer.transport
        reading.pause_reading()
        fast = await Raw.joined(server.port)
        for _ in range(120):
            await server.arun(server.sio.emit("big", "x" * 100_000, room="room"))
            while not (await fast.text()).startswith("42"):
                pass
        await until(lambda: server.sio.counts.slow == 1)
        assert any(entry[2:] == ("transport error", "slow") for entry in server.log if entry[0] == "disconnect")


@ROADS
async def test_a_socket_that_joins_no_namespace_is_closed(kind: str) -> None:
    with serving(kind, limits=Limits(join_seconds=0.4)) as server:
        idle = await Raw.open(server.port)
        joined = await Raw.joined(server.port)
        began = time.monotonic()
        assert await idle.closed() == 1000
        assert 0.2 < time.monotonic() - began < 1.5
        assert server.sio.counts.idle == 1
        joined.send('421["echo",1]')
        while await joined.text() != "431[1]":
            pass


@ROADS
async def test_clients_that_end_their_side_are_closed_and_forgotten(kind: str, until: Any) -> None:
    with serving(kind) as server:
        clients = [await Raw.joined(server.port) for _ in range(3)]
        for client in clients:
            client.writer.write_eof()
        for client in clients:
            async with asyncio.timeout(5):
                await client.reader.read()
        await until(lambda: [entry[0] for entry in server.log].count("disconnect") == 3)
        await until(lambda: not server.sio.eio.sockets)


async def test_a_request_that_never_ends_is_not_waited_for() -> None:
    with serving(OURS, limits=Limits(handshake_seconds=0.3)) as server:
        for begin in (b"GET /socket.io/?EIO=4", b"GET /rest HTTP/1.1\r\nHost: x\r\n", b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(begin)
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == b""
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        assert server.sio.counts.unfinished == 3


@ROADS
async def test_events_at_work_are_bounded_and_none_is_lost(kind: str) -> None:
    with serving(kind, limits=Limits(events_running=8)) as server:
        raw = await Raw.joined(server.port)
        for number in range(100):
            raw.send(f'42{number}["slow",{number}]')
        answers = [await raw.text() for _ in range(100)]
        assert sorted(answers) == sorted(f"43{number}[{number}]" for number in range(100))
        working = most = 0
        for what, *_ in server.log:
            working += {"slow": 1, "done": -1}.get(what, 0)
            most = max(most, working)
        assert 1 < most <= 8


async def test_a_client_whose_handlers_are_slow_is_not_taken_for_dead() -> None:
    """Its pongs are among what is not read while as many of its handlers are at work as may be."""
    with serving(OURS, ping_interval=0.05, ping_timeout=0.05, limits=Limits(events_running=1)) as server:
        raw = await Raw.joined(server.port)
        for number in range(20):
            raw.send(f'42{number}["slow",{number}]')
        answers = 0
        while answers < 20:
            text = await raw.text()
            answers += text.startswith("43")
            if text == "2":
                raw.send("3")
        assert server.sio.counts.timeouts == 0


@ROADS
async def test_a_flood_ends_the_connection(kind: str) -> None:
    with serving(kind, limits=Limits(events_per_second=50)) as server:
        raw = await Raw.joined(server.port)
        for _ in range(200):
            raw.send('42["echo",1]')
        # What the client goes on sending may reset the connection before the close frame is read.
        assert await raw.closed() in (1008, None)
        assert server.sio.counts.flooding == 1


async def test_a_drain_closes_everybody_over_the_window() -> None:
    with serving(OURS) as server:
        clients = [await Raw.joined(server.port) for _ in range(30)]
        began = time.monotonic()
        ends: list[float] = []

        async def end(raw: Raw) -> int | None:
            code = await raw.closed()
            ends.append(time.monotonic() - began)
            return code

        waiting = [asyncio.ensure_future(end(raw)) for raw in clients]
        await server.arun(server.sio.drain(0.6))
        assert await asyncio.gather(*waiting) == [1001] * 30
        assert max(ends) - min(ends) > 0.3
        assert sum(entry[0] == "disconnect" for entry in server.log) == 30
        late = await Raw.open(server.port)
        assert b" 503 " in late.head


async def test_many_that_leave_at_once_do_not_stop_the_loop(until: Any) -> None:
    with serving(OURS) as server:
        clients = [await Raw.joined(server.port) for _ in range(400)]
        for raw in clients:
            raw.writer.transport.abort()
        await until(lambda: sum(entry[0] == "disconnect" for entry in server.log) == 400)
        await until(lambda: not server.sio.eio.sockets)
        assert server.sio.manager.namespaces == {}


async def test_confirmation_by_ping() -> None:
    with serving(OURS) as server:
        heard: list[tuple[str, str]] = []
        server.sio.watch_pings(
            lambda sid: heard.append(("ping", sid)),
            lambda sid: heard.append(("pong", sid)),
        )
        raw = await Raw.joined(server.port)
        sid = next(entry[1] for entry in server.log)
        encoded = server.call(lambda: server.sio.encode("event", {"n": 1}))
        assert server.call(lambda: server.sio.write([sid, "nobody"], encoded)) == 1
        server.call(lambda: server.sio.ping(sid))
        assert [await raw.text(), await raw.text()] == ['42["event",{"n":1}]', "2"]
        raw.send("3")
        raw.send('421["echo",1]')
        assert await raw.text() == "431[1]"
        assert heard == [("ping", sid), ("pong", sid)]
        server.call(lambda: server.sio.drop(sid))
        assert await raw.closed() == 1000


async def test_every_namespace_of_a_connection_hears_of_its_pings() -> None:
    with serving(OURS) as server:
        heard: list[str] = []
        server.sio.watch_pings(heard.append, heard.append)
        raw = await Raw.joined(server.port)
        raw.send("40/custom,")
        assert (await raw.text()).startswith("40/custom,")
        (connection,) = server.sio.eio.sockets
        sids = [server.sio.manager.sid_from_eio_sid(connection, name) for name in ("/", "/custom")]
        server.call(lambda: server.sio.ping(sids[1], "/custom"))
        assert await raw.text() == "2"
        assert heard == sids


async def test_who_has_left_every_namespace_is_closed(until: Any) -> None:
    with serving(OURS, limits=Limits(join_seconds=0.3), ping_interval=0.2, ping_timeout=5) as server:
        raw = await Raw.joined(server.port)
        raw.send("41")
        await until(lambda: server.sio.counts.idle == 1)
        assert await raw.closed() == 1000


async def test_the_servers_of_several_ports_close_the_same_connections() -> None:
    front = uvicorn_options(AsyncServer())["http"]
    one, other = ServerState(), ServerState()
    for state in (one, other):
        front(Config(None, log_config=None), state, {})  # type: ignore[arg-type]
    assert one.connections is other.connections


@ROADS
async def test_tls(kind: str, certificate: Path) -> None:
    with serving(kind, tls=certificate) as server:
        raw = await Raw.open(server.port, tls=client_tls())
        assert (await raw.text()).startswith("0{")
        raw.send("40")
        assert (await raw.text()).startswith("40")
        raw.send('421["echo","' + "x" * 100_000 + '"]')
        assert len(await raw.text()) > 100_000
        raw.close()
        await raw.writer.wait_closed()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and its certificate in one file."""
    certificate = tmp_path / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
         "-keyout", certificate, "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate.write_bytes(certificate.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return certificate
