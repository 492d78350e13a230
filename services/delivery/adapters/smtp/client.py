"""Sends deliveries as mail. Implements ports.Provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from services.delivery.adapters.smtp.connection import Connection, Lost, Stage
from services.delivery.adapters.smtp.errors import of_connecting
from services.delivery.adapters.smtp.pool import SmtpPool
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.mail import Mail, compose, mailbox
from services.delivery.domain.outcome import Sent
from services.delivery.domain.rendering import EmailRenderer
from services.delivery.errors import Overloaded, Retryable, Uncertain


class SmtpClient:
    """One SMTP server. `timeout` is for one whole call, in seconds."""

    name = "smtp"

    def __init__(
        self, settings: SmtpSettings, renderer: EmailRenderer, timeout: float, clock: Callable[[], datetime]
    ) -> None:
        self._pool = SmtpPool(settings)
        self._renderer, self._timeout, self._clock = renderer, timeout, clock
        display_name, self._sender = settings.sender
        self._sender_header = mailbox(display_name, self._sender)
        self._domain = settings.domain

    async def send(self, delivery: Delivery) -> Sent:
        """Raises a Fault. Uncertain only when the whole mail was handed over and no answer came."""
        mail = self._mail(delivery)
        connection: Connection | None = None
        try:
            async with asyncio.timeout(self._timeout):
                connection = self._pool.take()
                if connection is not None and (sent := await self._reusing(connection, mail)):
                    return sent
                connection = None
                connection = await self._pool.fresh()
                return await self._over(connection, mail)
        except TimeoutError as error:
            if connection is None:
                raise of_connecting(error) from None
            raise _silence(connection.stage, "TimeoutError") from None
        except Lost as lost:
            assert connection is not None  # only a connection can be lost
            raise _silence(connection.stage, type(lost.__cause__ or lost).__name__) from lost
        finally:
            if connection is not None:
                self._pool.put(connection)

    async def close(self) -> None:
        """Ends the idle sessions."""
        await self._pool.close()

    async def _reusing(self, connection: Connection, mail: Mail) -> Sent | None:
        """None when the server had closed the session while it was idle: nothing of this mail was taken."""
        try:
            return await self._over(connection, mail)
        except (Lost, Overloaded):
            if connection.stage is not Stage.NOTHING or connection.usable:
                raise
            connection.close()
            return None

    async def _over(self, connection: Connection, mail: Mail) -> Sent:
        answer = await connection.send(mail)
        return Sent(code=str(answer.code))

    def _mail(self, delivery: Delivery) -> Mail:
        text = self._renderer.render(delivery.content, delivery.recipient)
        return compose(
            delivery,
            text,
            sender=self._sender,
            sender_header=self._sender_header,
            domain=self._domain,
            now=self._clock(),
        )


def _silence(stage: Stage, detail: str) -> Retryable | Uncertain:
    if stage is Stage.BODY:
        return Uncertain("outcome-unknown", detail=detail)
    return Retryable("provider-silent", detail=detail)
