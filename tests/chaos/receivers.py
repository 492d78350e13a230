"""Who receives on each channel while workers die, and which deliveries they were handed."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from devstack.smtp_peer import SmtpPeer
from services.delivery.domain.encryption import unpadded
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.chats import Slack
from tests.integration.delivery.peers.http import SLOWNESS, HttpPeer, running
from tests.integration.delivery.peers.pushes import WebPushService
from tests.integration.delivery.peers.texts import ACCOUNT, Twilio
from tests.integration.delivery.peers.webhooks import WebhookReceiver

_NUMBER = re.compile(r"number (\d+)")
_DEVICE = """
insert into devices (tenant, user_id, device_id, platform, token, keys)
select 'default', user_id, 'browser', 'web', $1, $2 from users where user_id like 'push-%'
"""
_ENDPOINT = (
    "insert into webhook_endpoints (tenant, endpoint_id, channel, url, secrets) values ('default', $1, $1, $2, $3)"
)
#: What workers are told before there is a peer: nothing leaves this machine.
SETTINGS = {
    "CARILLON_CHANNELS": "email,push,sms,webhook,slack",
    "CARILLON_EGRESS_NETWORKS": "127.0.0.0/8",
    "CARILLON_WEBPUSH_KEY": unpadded(b"\1" * 32),
    "CARILLON_TWILIO_ACCOUNT": ACCOUNT,
    "CARILLON_TWILIO_TOKEN": Twilio.token,
    "CARILLON_TWILIO_FROM": "+15005550006",
    "CARILLON_TWILIO_URL": "http://127.0.0.1:9/",
}


@dataclass(frozen=True)
class Receiver:
    """`got`: what was taken so far, by delivery id where the channel carries one, else by the notification's number."""

    got: Callable[[], list[UUID | int]]
    settings: Mapping[str, str]  # what workers must be told further


Opened = Callable[[asyncpg.Connection, SmtpPeer], contextlib.AbstractAsyncContextManager[Receiver]]


@contextlib.asynccontextmanager
async def email(_db: asyncpg.Connection, mail: SmtpPeer) -> AsyncIterator[Receiver]:
    """The SMTP server; a repeat has the Message-ID of the first."""
    mail.delay = SLOWNESS  # as `_slowly` does
    yield Receiver(lambda: [UUID(m.headers["Message-ID"].strip("<>").partition("@")[0]) for m in mail.messages], {})
    mail.delay = 0.0


@contextlib.asynccontextmanager
async def push(db: asyncpg.Connection, _mail: SmtpPeer) -> AsyncIterator[Receiver]:
    """A push service, where everybody has one browser; `Topic` is the delivery's id."""
    async with _slowly(WebPushService()) as peer:
        device = peer.subscription(peer.url)
        await db.execute(_DEVICE, device.token, orjson.dumps(device.keys).decode())
        yield Receiver(lambda: [_unpacked(got.headers["topic"]) for got in peer.requests], {})


@contextlib.asynccontextmanager
async def sms(_db: asyncpg.Connection, _mail: SmtpPeer) -> AsyncIterator[Receiver]:
    """Twilio, to which nothing tells a repeat."""
    async with _slowly(Twilio()) as peer:
        settings = {"CARILLON_TWILIO_URL": f"{peer.url}/"}
        yield Receiver(lambda: [_number(Twilio.form(got)["Body"]) for got in peer.requests], settings)


@contextlib.asynccontextmanager
async def webhook(db: asyncpg.Connection, _mail: SmtpPeer) -> AsyncIterator[Receiver]:
    """A tenant's endpoint; `webhook-id` is the delivery's id."""
    async with _slowly(WebhookReceiver()) as peer:
        await db.execute(_ENDPOINT, "webhook", f"{peer.url}/hook", [peer.secret])
        yield Receiver(lambda: [UUID(got.headers["webhook-id"]) for got in peer.requests], {})


@contextlib.asynccontextmanager
async def slack(db: asyncpg.Connection, _mail: SmtpPeer) -> AsyncIterator[Receiver]:
    """Slack, to which nothing tells a repeat."""
    async with _slowly(Slack()) as peer:
        await db.execute(_ENDPOINT, "slack", f"{peer.url}/hook", [])
        yield Receiver(lambda: [_number(got.body.decode()) for got in peer.requests], {})


RECEIVERS: dict[str, Opened] = {"email": email, "push": push, "sms": sms, "webhook": webhook, "slack": slack}


@contextlib.asynccontextmanager
async def _slowly(peer: Any) -> AsyncIterator[Any]:
    """Takes its time to answer, so that a kill meets calls which have not ended."""
    served: HttpPeer = peer
    async with running(served):
        served.case = Case.SLOW
        yield served


def _number(text: str) -> int:
    found = _NUMBER.search(text)
    assert found is not None, text
    return int(found[1])


def _unpacked(topic: str) -> UUID:
    return UUID(bytes=base64.urlsafe_b64decode(topic + "=="))
