"""Every provider with its peer, as the contract suite asks for them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from devstack.smtp_peer import SmtpPeer
from devstack.smtp_script import Reaction
from libs.runtime.clock import utc_now
from services.delivery.adapters.apns.client import ApnsClient
from services.delivery.adapters.chat import errors
from services.delivery.adapters.chat.client import ChatClient, Render
from services.delivery.adapters.chat.errors import Reading
from services.delivery.adapters.fcm.client import FcmClient
from services.delivery.adapters.fcm.settings import ServiceAccount
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.http.posting import Poster
from services.delivery.adapters.push.client import PushClient
from services.delivery.adapters.smtp.client import SmtpClient
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.adapters.sns.client import SnsClient
from services.delivery.adapters.sns.settings import SnsSettings
from services.delivery.adapters.twilio.client import TwilioClient
from services.delivery.adapters.twilio.settings import TwilioSettings
from services.delivery.adapters.webhook.client import WebhookClient
from services.delivery.adapters.webpush.client import WebPushClient
from services.delivery.domain import chat
from services.delivery.domain.delivery import Content, Delivery, Device, Endpoint, Recipient
from services.delivery.domain.rendering import EmailRenderer
from services.delivery.errors import Fault, Overloaded, Retryable, Unavailable, Uncertain
from services.delivery.ports import DeviceSender, Provider
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.chats import Discord, Slack, Teams
from tests.integration.delivery.peers.http import SLOWNESS, HttpPeer, running
from tests.integration.delivery.peers.pushes import Apns, Fcm, WebPushService
from tests.integration.delivery.peers.texts import ACCOUNT, REGION, WHO, Sns, Twilio
from tests.integration.delivery.peers.webhooks import WebhookReceiver

TIMEOUT = 1.0  # seconds for a whole call
LOOPBACK = (ip_network("127.0.0.0/8"),)
ADDRESS = "ada@example.test"


class Kept:
    """Remembers which addresses were declared dead. Implements ports.Addresses."""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.taken: list[str] = []

    async def endpoint_gone(self, delivery: Delivery) -> None:
        assert delivery.recipient.endpoint is not None
        self.gone.append(delivery.recipient.endpoint.id)

    async def device_gone(self, delivery: Delivery, device: Device) -> None:
        self.gone.append(device.id)

    async def reached(self, delivery: Delivery, devices: Sequence[str]) -> None:
        self.taken += devices


@dataclass
class Asked:
    """A provider and what is around it.

    `unreachable` and `throttled` are the faults that it makes of those; `silent` is the same provider, whose server
    takes connections and says nothing; `tells_when` whether a throttling answer names a time.
    """

    provider: Provider
    delivery: Delivery
    behave: Callable[[Case], None]
    received: Callable[[], int]
    silent: Callable[[int], Provider]
    unreachable: type[Fault] = Unavailable
    throttled: type[Fault] = Overloaded
    server_error: type[Fault] = Retryable
    tells_when: bool = True
    addresses: Kept = field(default_factory=Kept)
    removed: Sequence[str] = ()  # what is taken out of the directory when the address is bad


Opened = AbstractAsyncContextManager[Asked]


def delivery(channel: str, recipient: Recipient, **content: Any) -> Delivery:
    """A delivery in the hands of a provider."""
    said = {"title": "A title", "message": "Some **words**.", "action_url": "https://app.example.test/r"} | content
    return Delivery(
        "default", uuid4(), channel, uuid4(), 0, utc_now(), recipient, Content(uuid4(), "service.alert", **said)
    )


@contextlib.asynccontextmanager
async def smtp() -> AsyncIterator[Asked]:
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
        clients.append(SmtpClient(settings, EmailRenderer("{{ title }}", "{{ title }}"), TIMEOUT, utc_now))
        return clients[-1]

    with SmtpPeer() as peer:
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
    to = Recipient("endpoint:e", endpoint=Endpoint("e", "", secrets))

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
async def webpush() -> AsyncIterator[Asked]:
    """A browser's push service."""
    peer, key, poster = WebPushService(), generate_private_key(SECP256R1()), Poster(LOOPBACK, TIMEOUT)

    def made(_url: str) -> DeviceSender:
        return WebPushClient(poster, key, "mailto:ops@example.test", utc_now)

    async with pushing(peer, "web", made, peer.subscription) as asked:
        asked.unreachable = asked.throttled = Retryable
        yield asked
    await poster.close()


@contextlib.asynccontextmanager
async def fcm() -> AsyncIterator[Asked]:
    """Firebase Cloud Messaging."""
    peer, asker = Fcm(), Asker(TIMEOUT)

    def made(url: str) -> DeviceSender:
        return FcmClient(asker, ServiceAccount.model_validate(peer.credentials), f"{url}/", utc_now)

    async with pushing(peer, "fcm", made, lambda _url: Device("d", "fcm", "a-registration-token")) as asked:
        yield asked
    await asker.close()


@contextlib.asynccontextmanager
async def apns() -> AsyncIterator[Asked]:
    """Apple's push service."""
    peer, asker = Apns(), Asker(TIMEOUT, http2=True)

    def made(url: str) -> DeviceSender:
        told = {"key_id": "KEY", "team_id": "TEAM", "topic": "com.example.app", "url": f"{url}/"}
        return ApnsClient(asker, peer.private_key, **told, clock=utc_now)

    async with pushing(peer, "apns", made, lambda _url: Device("d", "apns", "0a1b"), http2=True) as asked:
        yield asked
    await asker.close()


@contextlib.asynccontextmanager
async def pushing(
    peer: HttpPeer,
    platform: str,
    made: Callable[[str], DeviceSender],
    device: Callable[[str], Device],
    *,
    http2: bool = False,
) -> AsyncIterator[Asked]:
    """A push service with one device."""
    kept = Kept()

    def client(url: str) -> Provider:
        return _Carried(PushClient({platform: made(url)}, kept, None, utc_now), device(url))

    async with running(peer, http2=http2):
        yield Asked(
            client(peer.url),
            delivery("push", Recipient("ada")),
            behave=lambda case: setattr(peer, "case", case),
            received=lambda: len(peer.requests),
            silent=lambda port: client(f"https://127.0.0.1:{port}"),
            addresses=kept,
            removed=["d"],
        )


class _Carried:
    """Sends to a person who carries this device alone."""

    def __init__(self, provider: Provider, device: Device) -> None:
        self._provider, self._device = provider, device
        self.name = provider.name

    async def send(self, sent: Delivery) -> Any:
        return await self._provider.send(replace(sent, recipient=replace(sent.recipient, devices=(self._device,))))


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

        async with posting(peer(), name, Recipient("endpoint:e", endpoint=Endpoint("e", "")), made, kept) as asked:
            yield asked

    return opened


PROVIDERS: dict[str, Callable[[], Opened]] = {
    "smtp": smtp,
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
