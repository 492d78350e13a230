"""The providers of push with their peers, for the contract suite."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from libs.runtime.clock import utc_now
from services.delivery.adapters.apns.client import ApnsClient
from services.delivery.adapters.fcm.client import FcmClient
from services.delivery.adapters.fcm.settings import service_account
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.http.posting import Poster
from services.delivery.adapters.push.client import PushClient
from services.delivery.adapters.webpush.client import WebPushClient
from services.delivery.domain.delivery import Delivery, Device, Recipient
from services.delivery.errors import Retryable
from services.delivery.ports import DeviceSender, Provider
from tests.integration.delivery.asked import LOOPBACK, TIMEOUT, Asked, Kept, delivery
from tests.integration.delivery.peers.http import HttpPeer, running
from tests.integration.delivery.peers.pushes import Apns, Fcm, WebPushService


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
        return FcmClient(asker, service_account(peer.credentials), f"{url}/", utc_now)

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
