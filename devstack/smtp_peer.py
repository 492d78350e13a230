"""A real SMTP server in this process that keeps what it is sent."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller

from devstack.ports import free_port
from devstack.smtp_script import Reaction, Script, ScriptedSmtp
from devstack.waiting import wait_until

_ACCEPTED = "250 OK"


@dataclass(frozen=True)
class Received:
    """One accepted message: its envelope and its parsed content."""

    sender: str
    recipients: tuple[str, ...]
    headers: EmailMessage

    def text(self, kind: str = "plain") -> str:
        """The body of a kind, `plain` or `html`; empty when there is none."""
        part = self.headers.get_body((kind,))
        return "" if part is None else str(part.get_content())


class SmtpPeer:
    """Accepts mail on 127.0.0.1 while its block runs.

    Args:
        port: a free one by default.
        answer: the reply to a message for these recipients, for example `451 4.7.1 later`; only what is answered with
            a 2xx code is kept.
        pipelining: takes several commands in one packet, and says so.
        options: aiosmtpd's, for example `ssl_context`, `tls_context`, `authenticator`.
    """

    def __init__(
        self,
        port: int | None = None,
        answer: Callable[[tuple[str, ...]], str] | None = None,
        *,
        pipelining: bool = False,
        **options: Any,
    ) -> None:
        self.port = port or free_port()
        self.messages: list[Received] = []
        self.answer = answer or (lambda _recipients: _ACCEPTED)
        self.delay = 0.0  # seconds before it answers to a message that it has taken
        self.sessions = 0
        self._extensions = ["250-PIPELINING"] if pipelining else []
        self._script = Script()
        self._options = options
        self._controller: _Controller | None = None

    def start(self) -> None:
        """Listen; also again after `stop`."""
        self._controller = _Controller(self)
        self._controller.start()
        self.sessions = 0  # the controller has asked itself whether it listens

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None

    def react(self, recipient: str, *reactions: Reaction) -> None:
        """What happens to the next mails for the recipient, one after the other, instead of the usual answer."""
        self._script.add(recipient, *reactions)

    def wait_for(self, count: int, timeout: float = 20.0) -> list[Received]:
        """The messages, once there are this many. Blocks: from a coroutine, call it in a thread."""
        wait_until(lambda: len(self.messages) >= count, timeout=timeout, what=f"mail number {count}")
        return list(self.messages)

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, _server: ScriptedSmtp, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], *self._extensions, *responses[1:]]

    async def handle_DATA(self, server: ScriptedSmtp, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        recipients = tuple(envelope.rcpt_tos)
        reaction = self._script.take("body", recipients[0]) or Reaction("body")
        reply = reaction.reply or self.answer(recipients)
        usual = not (reaction.reply or reaction.drop or reaction.delay)
        if reaction.keep or (usual and reply.startswith("2")):
            content = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.messages.append(Received(envelope.mail_from, recipients, content))
        await asyncio.sleep(reaction.delay or self.delay)
        if reaction.drop:
            server.drop()
        return reply

    def __enter__(self) -> SmtpPeer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Controller(Controller):
    """Listens for a peer."""

    def __init__(self, peer: SmtpPeer) -> None:
        super().__init__(peer, hostname="127.0.0.1", port=peer.port, **peer._options)  # noqa: SLF001  one class in two
        self._peer = peer

    def factory(self) -> ScriptedSmtp:
        self._peer.sessions += 1
        return ScriptedSmtp(self.handler, self._peer._script, **self.SMTP_kwargs)  # noqa: SLF001


def smtp_environment(port: int) -> dict[str, str]:
    """What tells the delivery service to send its mail to a peer on this port."""
    return {
        "CARILLON_SMTP_HOST": "127.0.0.1",
        "CARILLON_SMTP_PORT": str(port),
        "CARILLON_SMTP_TLS": "none",
        "CARILLON_SMTP_FROM": "carillon@example.test",
    }
