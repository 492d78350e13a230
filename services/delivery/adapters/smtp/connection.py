"""One connection to an SMTP server, and how far a mail has got on it."""

from __future__ import annotations

import ssl
from enum import IntEnum

import aiosmtplib
from aiosmtplib import SMTPResponse
from aiosmtplib.protocol import SMTPProtocol

from services.delivery.adapters.smtp.errors import of_answer, of_connecting
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.domain.mail import Mail

_START_INPUT, _COMPLETED, _WILL_FORWARD, _CLOSING = 354, 250, 251, 421


class Stage(IntEnum):
    """How far a mail has got. From BODY on the server may have taken it."""

    NOTHING = 0
    ENVELOPE = 1
    BODY = 2


class Lost(Exception):
    """The connection broke: the server has not answered."""


class Connection:
    """Use it for one mail at a time; `usable` says whether for another."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self._smtp = smtp
        self._clean = True  # no answer is outstanding and no mail is begun
        self.stage = Stage.NOTHING
        self.since = 0.0  # monotonic: idle from then on

    @property
    def usable(self) -> bool:
        """Whether it can carry another mail."""
        return self._clean and self._smtp.is_connected

    async def send(self, mail: Mail) -> SMTPResponse:
        """Hands the mail over. Raises Fault for the server's answers, Lost when there is none; `stage` tells how far.

        Time-outs are the caller's: one for the whole exchange costs less than one for each command.
        """
        self.stage, self._clean = Stage.NOTHING, False
        try:
            await self._command(f"MAIL FROM:<{mail.sender}>")
            self.stage = Stage.ENVELOPE
            await self._command(f"RCPT TO:<{mail.recipient}>")
            await self._command("DATA")
            self.stage = Stage.BODY
            answer = await self._body(mail.message)
        except aiosmtplib.SMTPServerDisconnected as error:
            raise Lost from error
        except aiosmtplib.SMTPResponseException as error:  # an answer that is no SMTP
            raise of_answer(error.code, error.message) from error
        self._clean = True
        return answer

    async def _command(self, line: str) -> None:
        # The protocol's own method: the client's would add a time-out to each command beside that of the whole call.
        answer = await self._protocol().execute_command(line.encode("ascii"))
        if answer.code in (_COMPLETED, _WILL_FORWARD, _START_INPUT):
            return
        await self._reset(answer.code)
        raise of_answer(answer.code, answer.message)

    async def _body(self, message: bytes) -> SMTPResponse:
        protocol = self._protocol()
        protocol.write(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        answer = await protocol.read_response()
        if answer.code != _COMPLETED:
            self._clean = answer.code != _CLOSING
            raise of_answer(answer.code, answer.message)
        return answer

    def _protocol(self) -> SMTPProtocol:
        protocol = self._smtp.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("connection lost")
        return protocol

    async def _reset(self, code: int) -> None:
        """Ends the mail that was begun, so that the connection is good for another, unless the server closes it."""
        if code == _CLOSING:
            self.close()
            return
        await self._protocol().execute_command(b"RSET")
        self._clean = True

    async def quit(self) -> None:
        """Ends the session politely, within a second."""
        try:
            await self._smtp.quit(timeout=1.0)
        except (aiosmtplib.SMTPException, OSError):
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
    return Connection(smtp)


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
