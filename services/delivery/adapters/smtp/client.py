"""Sends deliveries as mail. Implements ports.Provider."""

from __future__ import annotations

import asyncio

from services.delivery.adapters.smtp.connection import Connection, Stage
from services.delivery.adapters.smtp.errors import of_connecting
from services.delivery.adapters.smtp.pool import SmtpPool
from services.delivery.adapters.smtp.replies import Lost
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.adapters.smtp.signing import Signer
from services.delivery.domain.composing import Composer
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.mail import Mail
from services.delivery.domain.outcome import Sent
from services.delivery.errors import Overloaded, Retryable, Uncertain


class SmtpClient:
    """One SMTP server. `timeout` is for one whole call, in seconds."""

    name = "smtp"

    def __init__(
        self, settings: SmtpSettings, composer: Composer, timeout: float, signer: Signer | None = None
    ) -> None:
        self._pool = SmtpPool(settings)
        self._composer, self._timeout, self._signer = composer, timeout, signer

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
        mail = self._composer.compose(delivery)
        return self._signer.signed(mail) if self._signer else mail


def _silence(stage: Stage, detail: str) -> Retryable | Uncertain:
    if stage is Stage.BODY:
        return Uncertain("outcome-unknown", detail=detail)
    return Retryable("provider-silent", detail=detail)
