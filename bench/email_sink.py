"""A mail server that drops what it is sent, and takes several commands in one packet, as most servers do."""

from __future__ import annotations

from typing import Any

from aiosmtpd.handlers import Sink


class Pipelining(Sink):
    """aiosmtpd's sink, which reads commands in one packet but does not say so."""

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """PIPELINING beside what it offers anyway."""
        session.host_name = hostname
        return [responses[0], "250-PIPELINING", *responses[1:]]
