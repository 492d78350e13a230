"""What the SMTP peer does instead of taking a mail: answer a code, be slow, or break the connection."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any, Literal

from aiosmtpd.smtp import SMTP

Stage = Literal["ehlo", "mail", "rcpt", "data", "body"]
ANYBODY = "*"


@dataclass(frozen=True)
class Reaction:
    """What happens once, when a stage is reached.

    Args:
        stage: `ehlo` and `mail` come before the recipient is known; `body` is after the whole message.
        reply: the answer instead of the usual one.
        delay: seconds before the answer.
        drop: break the connection instead of answering.
        keep: the message is taken although the answer says nothing of it (stage `body`).
    """

    stage: Stage
    reply: str | None = None
    delay: float = 0.0
    drop: bool = False
    keep: bool = False


class Script:
    """The reactions that are still to come, by recipient and in order."""

    def __init__(self) -> None:
        self._coming: dict[str, deque[Reaction]] = defaultdict(deque)

    def add(self, recipient: str, *reactions: Reaction) -> None:
        """One after the other, each at the next mail for the recipient (ANYBODY: of whoever comes first)."""
        self._coming[recipient].extend(reactions)

    def take(self, stage: Stage, recipient: str = ANYBODY) -> Reaction | None:
        """The next reaction of the recipient, else of anybody, when it belongs to this stage."""
        for key in (recipient, ANYBODY):
            coming = self._coming[key]
            if coming and coming[0].stage == stage:
                return coming.popleft()
        return None


class ScriptedSmtp(SMTP):
    """aiosmtpd's server, following a script."""

    def __init__(self, handler: Any, script: Script, **options: Any) -> None:
        super().__init__(handler, **options)
        self._script = script

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802  aiosmtpd's name, like those below
        if not await self._reacted("ehlo"):
            await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if not await self._reacted("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        address = (arg or "").partition("<")[2].partition(">")[0]
        if not await self._reacted("rcpt", address):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self._reacted("data", *self._recipients()):
            await super().smtp_DATA(arg)

    def _recipients(self) -> list[str]:
        return [] if self.envelope is None else list(self.envelope.rcpt_tos)[:1]

    async def _reacted(self, stage: Stage, *recipients: str) -> bool:
        reaction = self._script.take(stage, *recipients)
        if reaction is None:
            return False
        await asyncio.sleep(reaction.delay)
        if reaction.drop:
            self.drop()
        elif reaction.reply is not None:
            await self.push(reaction.reply)
            if reaction.reply.startswith("421"):
                self.drop(politely=True)
        return reaction.drop or reaction.reply is not None

    def drop(self, *, politely: bool = False) -> None:
        """Break the connection; politely: after what has been said is sent."""
        transport: Any = self.transport
        if transport is not None:
            (transport.close if politely else transport.abort)()
