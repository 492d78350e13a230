"""Composition of the channels: who sends on each, and what its receivers can tell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from dkim import DKIMException

from libs.outbound.settings import EgressSettings
from libs.runtime.clock import utc_now
from libs.runtime.settings import load, refuse
from services.delivery.adapters.apns.client import ApnsClient
from services.delivery.adapters.apns.settings import ApnsSettings
from services.delivery.adapters.chat import errors
from services.delivery.adapters.chat.client import ChatClient, Render
from services.delivery.adapters.chat.errors import Reading
from services.delivery.adapters.fcm.client import FcmClient
from services.delivery.adapters.fcm.settings import FcmSettings
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.http.posting import Poster
from services.delivery.adapters.push.client import PushClient
from services.delivery.adapters.ses.client import SesClient
from services.delivery.adapters.ses.settings import SesSettings
from services.delivery.adapters.smtp.client import SmtpClient
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.adapters.smtp.signing import Signer
from services.delivery.adapters.sns.client import SnsClient
from services.delivery.adapters.sns.settings import SnsSettings
from services.delivery.adapters.twilio.client import TwilioClient
from services.delivery.adapters.twilio.settings import TwilioSettings
from services.delivery.adapters.webhook.client import WebhookClient
from services.delivery.adapters.webpush.client import WebPushClient
from services.delivery.adapters.webpush.settings import WebPushSettings
from services.delivery.domain import chat
from services.delivery.domain.composing import Composer, Links
from services.delivery.domain.rendering import EmailRenderer
from services.delivery.ports import Addresses, DeviceSender, Provider
from services.delivery.settings import Settings

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Building:
    """What providers are made with; what they leave open is closed with the stack."""

    settings: Settings
    addresses: Addresses
    stack: AsyncExitStack

    @property
    def link_base(self) -> str | None:
        """What relative action links are resolved against."""
        return str(self.settings.public_url) if self.settings.public_url else None

    def poster(self) -> Poster:
        """For addresses that others have given us."""
        poster = Poster(load(EgressSettings).egress_networks, self.settings.call_timeout)
        self.stack.push_async_callback(poster.close)
        return poster

    def asker(self, *, http2: bool = False) -> Asker:
        """For a provider of our own choice."""
        asker = Asker(self.settings.call_timeout, http2=http2)
        self.stack.push_async_callback(asker.close)
        return asker


@dataclass(frozen=True, slots=True)
class Channel:
    """`providers` by name, each asked in its turn where the one before could not take it.

    `repeatable`: whether an attempt without an answer is made again, because receivers can tell a repeat by a stable id
    or are better told twice than not at all. `shared`: all deliveries go to the same servers.
    """

    providers: dict[str, Callable[[Building], Provider]]
    repeatable: bool
    shared: bool = False

    def order(self, channel: str, settings: Settings) -> tuple[str, ...]:
        """The providers in use, in their order."""
        chosen = {"email": settings.email_providers, "sms": settings.sms_providers}
        return tuple(chosen[channel]) if channel in chosen else tuple(self.providers)


def _composer(building: Building, settings: SmtpSettings) -> Composer:
    html, plain = ((_TEMPLATES / f"email.{kind}.j2").read_text() for kind in ("html", "txt"))
    links = building.settings
    return Composer(
        EmailRenderer(html, plain, building.link_base),
        settings.sender,
        settings.domain,
        Links(links.origin, links.secret) if links.origin and links.secret else None,
        utc_now,
    )


def _smtp(building: Building) -> Provider:
    settings = load(SmtpSettings)
    try:
        key = settings.dkim_key_file.read_bytes() if settings.dkim_key_file else None
        domain = settings.dkim_domain or settings.sender[1].rpartition("@")[2]
        signer = Signer(domain, settings.dkim_selector or "", key) if key else None
    except (OSError, DKIMException) as error:
        refuse(f"CARILLON_DKIM_KEY_FILE is wrong: {type(error).__name__}")
    client = SmtpClient(settings, _composer(building, settings), building.settings.call_timeout, signer)
    building.stack.push_async_callback(client.close)
    return client


def _ses(building: Building) -> Provider:
    settings = load(SesSettings)
    if not settings.ses_region:
        refuse("email by ses needs CARILLON_SES_REGION")
    return SesClient(building.asker(), settings, _composer(building, load(SmtpSettings)), utc_now)


def _webhook(building: Building) -> Provider:
    return WebhookClient(building.poster(), building.addresses, building.link_base, utc_now)


def _push(building: Building) -> Provider:
    settings, apns, senders = load(WebPushSettings), load(ApnsSettings), dict[str, DeviceSender]()
    try:
        if settings.configured:
            senders["web"] = WebPushClient(building.poster(), settings.key(), settings.webpush_subject, utc_now)
        if account := (fcm := load(FcmSettings)).credentials:
            senders["fcm"] = FcmClient(building.asker(), account, str(fcm.fcm_url), utc_now)
        if apns.apns_key_file:
            senders["apns"] = _apns(building, apns, apns.apns_key_file.read_text())
    except (OSError, ValueError) as error:  # pydantic's are ValueErrors too; a key's text is never in them
        refuse(f"push: {type(error).__name__}: {_first_line(error)}")
    if not senders:
        refuse("push needs CARILLON_WEBPUSH_KEY, CARILLON_FCM_CREDENTIALS_FILE or CARILLON_APNS_KEY_FILE")
    return PushClient(senders, building.addresses, building.link_base, utc_now)


def _apns(building: Building, apns: ApnsSettings, key: str) -> ApnsClient:
    return ApnsClient(
        building.asker(http2=True),
        key,
        key_id=apns.apns_key_id or "",
        team_id=apns.apns_team_id or "",
        topic=apns.apns_topic or "",
        url=str(apns.apns_url),
        clock=utc_now,
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _twilio(building: Building) -> Provider:
    settings = load(TwilioSettings)
    if not (settings.twilio_account and settings.twilio_from):
        refuse("sms by twilio needs CARILLON_TWILIO_ACCOUNT, CARILLON_TWILIO_TOKEN and CARILLON_TWILIO_FROM")
    ours = building.settings
    asker, most = building.asker(), ours.sms_max_segments
    base, senders = building.link_base, ours.sms_senders
    return TwilioClient(asker, settings, most, base, utc_now, origin=ours.origin, senders=senders)


def _sns(building: Building) -> Provider:
    settings = load(SnsSettings)
    if not settings.sns_region:
        refuse("sms by sns needs CARILLON_SNS_REGION")
    ours = building.settings
    asker, most = building.asker(), ours.sms_max_segments
    return SnsClient(asker, settings, most, building.link_base, utc_now, senders=ours.sms_senders)


def _chat(name: str, render: Render, read: Reading) -> Channel:
    def made(building: Building) -> Provider:
        return ChatClient(name, render, read, building.poster(), building.addresses, building.link_base, utc_now)

    return Channel({name: made}, repeatable=True)


CHANNELS: dict[str, Channel] = {
    "email": Channel({"smtp": _smtp, "ses": _ses}, repeatable=True, shared=True),
    "webhook": Channel({"webhook": _webhook}, repeatable=True),
    "push": Channel({"push": _push}, repeatable=True),
    # A text cannot be told from its repeat, costs money and wakes people: at most once where nobody knows.
    "sms": Channel({"twilio": _twilio, "sns": _sns}, repeatable=False, shared=True),
    "slack": _chat("slack", chat.slack, errors.slack),
    "discord": _chat("discord", chat.discord, errors.discord),
    "teams": _chat("teams", chat.teams, errors.teams),
}
