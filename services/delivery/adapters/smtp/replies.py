"""What an SMTP server answers: the transport's protocol once the session is ready for mails.

aiosmtplib opens sessions, encrypts them and logs in; it has room for one answer at a time, and commands in one packet
(RFC 2920) have several on their way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

CLOSING = 421
UNREADABLE = -1  # the code of an answer that is no SMTP
_MOST = 65_536  # bytes of answers that nobody has taken


class Lost(Exception):
    """The connection broke: the server has not answered."""


class Reply(NamedTuple):
    """A code and the words behind it, of several lines in one."""

    code: int
    text: str


class Replies(asyncio.Protocol):
    """Takes over a transport."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._gone = transport, False
        self._rest, self._lines = b"", list[str]()
        self._came = deque[Reply]()
        self._waiter: asyncio.Future[None] | None = None
        self._wanted, self._over = 1, False
        transport.set_protocol(self)

    @property
    def open(self) -> bool:
        """Whether more can be said, and nothing was said unasked."""
        return not (self._gone or self._came or self._rest or self._transport.is_closing())

    def write(self, data: bytes) -> None:
        """Raises Lost."""
        if self._gone or self._transport.is_closing():
            raise Lost
        self._transport.write(data)

    async def next(self, of: int = 1) -> Reply:
        """The next answer, once so many have come or no more will: to be woken for each costs more than it is worth.

        Raises Lost when none comes any more.
        """
        self._wanted = of
        while not self._enough:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if not self._came:
            raise Lost
        return self._came.popleft()

    @property
    def _enough(self) -> bool:
        return len(self._came) >= self._wanted or self._gone or (self._over and bool(self._came))

    def data_received(self, data: bytes) -> None:
        """Whole lines are answers, or parts of one."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > _MOST or len(self._came) > _MOST or len(self._lines) > _MOST:
            self._transport.abort()
        self._wake()

    def _line(self, line: bytes) -> None:
        code, text = line[:3], line[4:].strip().decode("utf-8", "replace")
        if not (len(code) == 3 and code.isdigit()):
            self._came.append(Reply(UNREADABLE, line[:200].decode("utf-8", "replace")))
            self._over = True
            return
        self._lines.append(text)
        if line[3:4] != b"-":
            self._came.append(Reply(int(code), "\n".join(self._lines)))
            self._lines = []
            self._over = self._over or int(code) == CLOSING

    def connection_lost(self, _exc: Exception | None) -> None:
        """No answer comes any more; those that came are still to be taken."""
        self._gone = True
        self._wake()

    def eof_received(self) -> bool:
        """As connection_lost; the transport closes."""
        self.connection_lost(None)
        return False

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done() and self._enough:
            self._waiter.set_result(None)
