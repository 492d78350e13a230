"""One connection to an SMTP server, and how far a mail has got on it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from enum import IntEnum
from typing import cast

import aiosmtplib

from services.delivery.adapters.smtp.errors import of_answer, of_connecting
from services.delivery.adapters.smtp.replies import CLOSING, UNREADABLE, Lost, Replies, Reply
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.domain.mail import Mail
from services.delivery.errors import Unavailable

_START_INPUT, _COMPLETED, _WILL_FORWARD = 354, 250, 251


class Stage(IntEnum):
    """How far a mail has got. From BODY on the server may have taken it."""

    NOTHING = 0
    ENVELOPE = 1
    BODY = 2


class Connection:
    """Use it for one mail at a time; `usable` says whether for another."""

    def __init__(self, smtp: aiosmtplib.SMTP, transport: asyncio.Transport) -> None:
        self._smtp, self._replies = smtp, Replies(transport)
        self._pipelining = smtp.supports_extension("pipelining")
        self._clean = True  # no answer is outstanding and no mail is begun
        self.stage = Stage.NOTHING
        self.since = 0.0  # monotonic: idle from then on

    @property
    def usable(self) -> bool:
        """Whether it can carry another mail."""
        return self._clean and self._replies.open

    async def send(self, mail: Mail) -> Reply:
        """Hands the mail over. Raises Fault for the server's answers, Lost when there is none; `stage` tells how far.

        Time-outs are the caller's: one for the whole exchange costs less than one for each command.
        """
        self.stage, self._clean = Stage.NOTHING, False
        envelope = [f"MAIL FROM:<{mail.sender}>\r\n", f"RCPT TO:<{mail.recipient}>\r\n", "DATA\r\n"]
        for part in ["".join(envelope)] if self._pipelining else envelope:
            await self._say(part)
        self.stage = Stage.BODY
        answer = await self._body(mail.message)
        self._clean = True
        return answer

    async def _say(self, commands: str) -> None:
        """One command or, where the server takes that, several in one packet: each has its answer, and the first that
        refuses is the server's word."""
        self._replies.write(commands.encode("ascii"))
        refused: Reply | None = None
        last = UNREADABLE
        for outstanding in range(commands.count("\n"), 0, -1):
            try:
                answer = await self._replies.next(outstanding)
            except Lost:
                if refused is None:
                    raise
                break  # it has said why
            last = answer.code
            if last in (_COMPLETED, _WILL_FORWARD, _START_INPUT):
                self.stage = Stage.ENVELOPE
                continue
            refused = refused or answer
            if last in (CLOSING, UNREADABLE):
                break
        if refused is not None:
            await self._reset(last)
            raise of_answer(refused.code, refused.text)

    async def _body(self, message: bytes) -> Reply:
        self._replies.write(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        answer = await self._replies.next()
        if answer.code != _COMPLETED:
            self._clean = answer.code not in (CLOSING, UNREADABLE)
            raise of_answer(answer.code, answer.text)
        return answer

    async def _reset(self, last: int) -> None:
        """Ends the mail that was begun, so that the connection is good for another: not where the server closes it,
        makes no sense, or waits for a message although it refuses its recipient.
        """
        if last in (CLOSING, UNREADABLE, _START_INPUT):
            self.close()
            return
        try:
            self._replies.write(b"RSET\r\n")
            self._clean = (await self._replies.next()).code == _COMPLETED
        except Lost:
            self.close()

    async def quit(self) -> None:
        """Ends the session politely, within a second."""
        with contextlib.suppress(Lost, TimeoutError):
            async with asyncio.timeout(1.0):
                self._replies.write(b"QUIT\r\n")
                await self._replies.next()
        self.close()

    def close(self) -> None:
        """Ends it at once."""
        self._smtp.close()


async def connect(settings: SmtpSettings, tls: ssl.SSLContext | None) -> Connection:
    """A connection ready for a mail: greeted, encrypted and logged in as the settings say. Raises Unavailable."""
    try:
        smtp = _client(settings, tls)
        await smtp.connect()  # closes what it opened when it fails
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
    except aiosmtplib.SMTPResponseException as error:
        raise of_connecting(error, error.code) from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise of_connecting(error) from error
    if smtp.transport is None:  # it has gone again
        raise Unavailable("provider-unavailable")
    return Connection(smtp, cast("asyncio.Transport", smtp.transport))


def _client(settings: SmtpSettings, tls: ssl.SSLContext | None) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        local_hostname=settings.domain,
        username=settings.smtp_username,
        password=settings.password,
        timeout=settings.smtp_connect_timeout,
        use_tls=settings.smtp_tls == "tls",
        start_tls=settings.smtp_tls == "starttls",
        tls_context=tls,
    )
