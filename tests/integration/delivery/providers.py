"""Every provider with its peer, as the contract suite asks for them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from devstack.smtp_peer import SmtpPeer
from devstack.smtp_script import Reaction
from libs.runtime.clock import utc_now
from services.delivery.adapters.chat import errors
from services.delivery.adapters.chat.client import ChatClient, Render
from services.delivery.adapters.chat.errors import Reading
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.http.posting import Poster
from services.delivery.adapters.ses.client import SesClient
from services.delivery.adapters.ses.settings import SesSettings
from services.delivery.adapters.smtp.client import SmtpClient
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.adapters.sns.client import SnsClient
from services.delivery.adapters.sns.settings import SnsSettings
from services.delivery.adapters.twilio.client import TwilioClient
from services.delivery.adapters.twilio.settings import TwilioSettings
from services.delivery.adapters.webhook.client import WebhookClient
from services.delivery.domain import chat
from services.delivery.domain.delivery import Delivery, Endpoint, Recipient
from services.delivery.errors import Retryable, Uncertain
from services.delivery.ports import Provider
from tests.integration.delivery.asked import LOOPBACK, TIMEOUT, Asked, Kept, Opened, composer, delivery
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.chats import Discord, Slack, Teams
from tests.integration.delivery.peers.http import SLOWNESS, HttpPeer, running
from tests.integration.delivery.peers.mails import Ses
from tests.integration.delivery.peers.texts import ACCOUNT, REGION, WHO, Sns, Twilio
from tests.integration.delivery.peers.webhooks import WebhookReceiver
from tests.integration.delivery.push_providers import apns, fcm, webpush

ADDRESS = "ada@example.test"


@contextlib.asynccontextmanager
async def smtp(*, pipelining: bool = False) -> AsyncIterator[Asked]:
    """SMTP, with aiosmtpd."""
    reactions = {
        Case.SLOW: Reaction("data", delay=SLOWNESS),
        Case.THROTTLED: Reaction("rcpt", "450 4.2.1 too many mails"),
        Case.BAD_ADDRESS: Reaction("rcpt", "550 5.1.1 nobody of that name"),
        Case.SERVER_ERROR: Reaction("body", "451 4.3.0 something is broken here"),
        Case.SILENT: Reaction("body", delay=2 * TIMEOUT, drop=True, keep=True),
        Case.RESET: Reaction("body", drop=True, keep=True),
        Case.MALFORMED: Reaction("body", "nonsense", keep=True),
    }
    clients: list[SmtpClient] = []

    def made(port: int) -> SmtpClient:
        settings = SmtpSettings(smtp_host="127.0.0.1", smtp_port=port, smtp_from="carillon@example.test")
        clients.append(SmtpClient(settings, composer(settings), TIMEOUT))
        return clients[-1]

    with SmtpPeer(pipelining=pipelining) as peer:
        yield Asked(
            made(peer.port),
            delivery("email", Recipient("ada", ADDRESS)),
            behave=lambda case: peer.react(ADDRESS, *[reactions[case]] if case in reactions else []),
            received=lambda: len(peer.messages),
            silent=made,
            tells_when=False,
        )
        for client in clients:
            await client.close()


@contextlib.asynccontextmanager
async def webhook() -> AsyncIterator[Asked]:
    """A tenant's own endpoint."""
    kept = Kept()
    secrets = (WebhookReceiver.secret,)
    to = Recipient("endpoint e", endpoint=Endpoint("e", "", secrets))

    def made(poster: Poster) -> Provider:
        return WebhookClient(poster, kept, None, utc_now)

    async with posting(WebhookReceiver(), "webhook", to, made, kept) as asked:
        yield asked


@contextlib.asynccontextmanager
async def posting(
    peer: HttpPeer, channel: str, to: Recipient, made: Callable[[Poster], Provider], kept: Kept
) -> AsyncIterator[Asked]:
    """A provider that posts to addresses that others have given."""
    poster = Poster(LOOPBACK, TIMEOUT)
    async with running(peer):
        sent = delivery(channel, to)
        yield Asked(
            _Aimed(made(poster), peer.url),
            sent,
            behave=lambda case: setattr(peer, "case", case),
            received=lambda: len(peer.requests),
            silent=lambda port: _Aimed(made(poster), f"https://127.0.0.1:{port}"),
            unreachable=Retryable,
            throttled=Retryable,
            addresses=kept,
            removed=["e"],
        )
        await poster.close()


class _Aimed:
    """Sends to the endpoint of a delivery as if its address were this one."""

    def __init__(self, provider: Provider, url: str) -> None:
        self._provider, self._url = provider, url
        self.name = provider.name

    async def send(self, sent: Delivery) -> Any:
        to = sent.recipient
        assert to.endpoint is not None
        aimed = Endpoint(to.endpoint.id, f"{self._url}/hook", to.endpoint.secrets)
        return await self._provider.send(replace(sent, recipient=replace(to, endpoint=aimed)))


@contextlib.asynccontextmanager
async def sns() -> AsyncIterator[Asked]:
    """Amazon SNS, of which the same is true as of Twilio."""
    peer = Sns()

    def made(asker: Asker, url: str) -> Provider:
        told = {"sns_region": REGION, "sns_key_id": WHO.key_id, "sns_secret": WHO.secret, "sns_sender": "Carillon"}
        return SnsClient(asker, SnsSettings.model_validate(told | {"sns_url": url}), 4, None, utc_now)

    async with texting(peer, made) as asked:
        yield asked


@contextlib.asynccontextmanager
async def ses() -> AsyncIterator[Asked]:
    """Amazon SES."""
    peer, asker = Ses(), Asker(TIMEOUT)

    def made(url: str) -> Provider:
        told = {"ses_region": REGION, "ses_key_id": WHO.key_id, "ses_secret": WHO.secret, "ses_url": url}
        settings = SmtpSettings(smtp_from="carillon@example.test")
        return SesClient(asker, SesSettings.model_validate(told), composer(settings), utc_now)

    async with running(peer):
        yield Asked(
            made(peer.url),
            delivery("email", Recipient("ada", ADDRESS)),
            behave=lambda case: setattr(peer, "case", case),
            received=lambda: len(peer.requests),
            silent=lambda port: made(f"https://127.0.0.1:{port}"),
        )
    await asker.close()


@contextlib.asynccontextmanager
async def twilio() -> AsyncIterator[Asked]:
    """Twilio, whose server errors leave open whether a message was made."""
    peer = Twilio()

    def made(asker: Asker, url: str) -> Provider:
        told = {"twilio_account": ACCOUNT, "twilio_token": peer.token, "twilio_from": "+15005550006"}
        return TwilioClient(asker, TwilioSettings.model_validate(told | {"twilio_url": url}), 4, None, utc_now)

    async with texting(peer, made) as asked:
        yield asked


@contextlib.asynccontextmanager
async def texting(peer: HttpPeer, made: Callable[[Asker, str], Provider]) -> AsyncIterator[Asked]:
    """A provider of text messages."""
    asker = Asker(TIMEOUT)
    async with running(peer):
        yield Asked(
            made(asker, peer.url),
            delivery("sms", Recipient("ada", phone="+15005550001")),
            behave=lambda case: setattr(peer, "case", case),
            received=lambda: len(peer.requests),
            silent=lambda port: made(asker, f"https://127.0.0.1:{port}"),
            server_error=Uncertain,
        )
        await asker.close()


def chatting(name: str, peer: type[HttpPeer], render: Render, read: Reading) -> Callable[[], Opened]:
    """An incoming webhook of a chat service."""

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Asked]:
        kept = Kept()

        def made(poster: Poster) -> Provider:
            return ChatClient(name, render, read, poster, kept, None, utc_now)

        async with posting(peer(), name, Recipient("endpoint e", endpoint=Endpoint("e", "")), made, kept) as asked:
            yield asked

    return opened


PROVIDERS: dict[str, Callable[[], Opened]] = {
    "smtp": smtp,
    "smtp, several commands in one packet": partial(smtp, pipelining=True),
    "ses": ses,
    "webhook": webhook,
    "webpush": webpush,
    "fcm": fcm,
    "apns": apns,
    "twilio": twilio,
    "sns": sns,
    "slack": chatting("slack", Slack, chat.slack, errors.slack),
    "discord": chatting("discord", Discord, chat.discord, errors.discord),
    "teams": chatting("teams", Teams, chat.teams, errors.teams),
}
