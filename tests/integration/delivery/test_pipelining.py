"""Several SMTP commands in one packet, where the server says that it takes that (RFC 2920)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.delivery.adapters.smtp.connection import Connection, Stage, connect
from services.delivery.adapters.smtp.replies import Lost
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.domain.mail import Mail
from services.delivery.errors import Fault, Overloaded, Permanent, Retryable

pytestmark = pytest.mark.covers("F2-5")

Connect = Callable[[], Awaitable[Connection]]
MAIL = Mail("carillon@example.test", "ada@example.test", b"Subject: x\r\n\r\n.\r\nwords\r\n")
ENVELOPE = b"MAIL FROM:<carillon@example.test>\r\nRCPT TO:<ada@example.test>\r\nDATA\r\n"


class Server:
    """Says what it was told to, one after the other, whenever something comes; None ends the connection."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.got: list[bytes] = []
        self.pipelining = True
        self.ended = asyncio.Semaphore(0)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await self._serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.ended.release()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        await reader.readline()
        writer.write(b"250-here\r\n250-PIPELINING\r\n250 8BITMIME\r\n" if self.pipelining else b"250 here\r\n")
        while data := await reader.read(65_536):
            self.got.append(data)
            answer = self.answers.pop(0)
            if answer is None:
                return
            for byte in answer:  # however the network cuts it
                writer.write(bytes([byte]))
                await writer.drain()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def connection(server: Server) -> AsyncIterator[Connect]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    opened: list[Connection] = []

    async def made() -> Connection:
        port = listening.sockets[0].getsockname()[1]
        opened.append(await connect(SmtpSettings(smtp_port=port, smtp_from="carillon@example.test"), None))
        return opened[-1]

    yield made
    for one in opened:
        one.close()
    for _ in opened:
        await server.ended.acquire()
    listening.close()
    await listening.wait_closed()


async def _refused(connection: Connection) -> Fault:
    async with asyncio.timeout(5):
        with pytest.raises(Fault) as raised:
            await connection.send(MAIL)
    return raised.value


async def test_the_envelope_is_one_packet_and_the_connection_is_used_again(server: Server, connection: Connect) -> None:
    one = await connection()
    server.answers = [b"250 ok\r\n250-this\r\n250 person\r\n354 go on\r\n", b"250 taken\r\n"] * 2
    assert (await one.send(MAIL)).text == "taken"
    assert one.usable
    assert (await one.send(MAIL)).code == 250
    assert server.got == [ENVELOPE, b"Subject: x\r\n\r\n..\r\nwords\r\n.\r\n"] * 2


async def test_without_the_servers_word_each_command_waits_for_its_answer(server: Server, connection: Connect) -> None:
    server.pipelining = False
    one = await connection()
    server.answers = [b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 taken\r\n"]
    await one.send(MAIL)
    assert server.got[:3] == ENVELOPE.splitlines(keepends=True)


async def test_the_first_refusal_is_the_answer_and_others_behind_it_are_not(
    server: Server, connection: Connect
) -> None:
    one = await connection()
    server.answers = [b"250 ok\r\n550 5.1.1 nobody\r\n503 need RCPT\r\n", b"250 reset\r\n"]
    fault = await _refused(one)
    assert (type(fault), fault.code, one.usable) == (Permanent, "550", True)
    assert server.got == [ENVELOPE, b"RSET\r\n"]


async def test_no_message_goes_to_nobody(server: Server, connection: Connect) -> None:
    one = await connection()
    server.answers = [
        b"250 ok\r\n450 busy\r\n354 go on\r\n"
    ]  # it refuses the recipient and takes the message all the same
    fault = await _refused(one)
    assert (type(fault), fault.code, one.usable) == (Overloaded, "450", False)
    assert one.stage is Stage.ENVELOPE
    assert server.got == [ENVELOPE]


@pytest.mark.parametrize(
    ("answer", "kind"), [(b"421 closing\r\n", Overloaded), (b"nonsense\r\n", Retryable)], ids=["closing", "no SMTP"]
)
async def test_what_ends_the_session_is_not_waited_for(
    server: Server, connection: Connect, answer: bytes, kind: type[Fault]
) -> None:
    one = await connection()
    server.answers = [answer]
    assert type(await _refused(one)) is kind
    assert not one.usable
    assert one.stage is Stage.NOTHING


async def test_a_broken_connection_says_how_far_it_got(server: Server, connection: Connect) -> None:
    for answers, stage in (([None], Stage.NOTHING), ([b"250 ok\r\n250 ok\r\n354 go on\r\n", None], Stage.BODY)):
        one = await connection()
        server.answers = list(answers)
        async with asyncio.timeout(5):
            with pytest.raises(Lost):
                await one.send(MAIL)
        assert (one.stage, one.usable) == (stage, False)


async def test_what_is_said_unasked_ends_the_use_of_a_connection(server: Server, connection: Connect) -> None:
    one = await connection()
    server.answers = [b"250 ok\r\n250 ok\r\n354 go on\r\n", b"250 taken\r\n421 idle for too long\r\n"]
    await one.send(MAIL)
    async with asyncio.timeout(5):
        while one.usable:
            await asyncio.sleep(0.01)
