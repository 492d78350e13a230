"""Connections that wait for the next mail."""

from __future__ import annotations

import asyncio
import ssl
import time

from services.delivery.adapters.smtp.connection import Connection, connect
from services.delivery.adapters.smtp.settings import SmtpSettings


class SmtpPool:
    """As many connections as there are calls at once; the caller bounds those."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._idle: list[Connection] = []
        self._tls = _context(settings)

    def take(self) -> Connection | None:
        """The connection that was used last, or None. It may have been closed by the server without our knowing."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and time.monotonic() - connection.since < self._settings.smtp_idle:
                return connection
            connection.close()
        return None

    async def fresh(self) -> Connection:
        """A new connection. Raises Unavailable."""
        return await connect(self._settings, self._tls)

    def put(self, connection: Connection) -> None:
        """Back for the next mail, or closed when it cannot carry one."""
        if connection.usable:
            connection.since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    async def close(self) -> None:
        """Ends all idle sessions."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit() for connection in idle))


def _context(settings: SmtpSettings) -> ssl.SSLContext | None:
    if settings.smtp_tls == "none":
        return None
    return ssl.create_default_context(cafile=settings.smtp_ca_file)
