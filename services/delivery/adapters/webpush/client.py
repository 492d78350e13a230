"""Encrypts for a browser's subscription and hands it to the browser's push service. Implements ports.DeviceSender."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

from services.delivery.adapters.http.posting import Poster
from services.delivery.adapters.webpush.errors import of_answer
from services.delivery.domain import push
from services.delivery.domain.delivery import Device
from services.delivery.domain.encryption import encrypt, point, unpadded
from services.delivery.domain.push import PushMessage

_TOKEN_LIFE = timedelta(hours=12)  # push services take a day at most
_RENEW = timedelta(hours=1)
_MAX_TOKENS = 1_000  # origins come from subscriptions: the memory of them is bounded


class WebPushClient:
    """The subscription's address is the device's token, its `p256dh` and `auth` are the device's keys."""

    def __init__(
        self, poster: Poster, key: EllipticCurvePrivateKey, subject: str, clock: Callable[[], datetime]
    ) -> None:
        self._poster, self._key, self._subject, self._clock = poster, key, subject, clock
        self._public = unpadded(point(key))
        self._tokens: dict[str, tuple[str, datetime]] = {}

    async def send(self, device: Device, message: PushMessage) -> None:
        """Raises a Fault; `address-gone` when the subscription has ended."""
        content = orjson.dumps({"title": message.title, "body": message.body, **push.data(message)})
        p256dh, auth = str(device.keys.get("p256dh", "")), str(device.keys.get("auth", ""))
        body = encrypt(content, p256dh, auth, generate_private_key(SECP256R1()), os.urandom(16))
        headers = {
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": str(message.ttl),
            "urgency": message.urgency,
            "topic": message.topic,
            "authorization": f"vapid t={self._token(device.token)}, k={self._public}",
        }
        answer = await self._poster.post(device.token, headers, body)
        if not 200 <= answer.status < 300:
            raise of_answer(answer, self._clock())

    def _token(self, url: str) -> str:
        parts, now = urlsplit(url), self._clock()
        origin = f"{parts.scheme}://{parts.netloc}"
        token, until = self._tokens.get(origin, ("", now))
        if until - now > _RENEW:
            return token
        until = now + _TOKEN_LIFE
        claims: dict[str, Any] = {"aud": origin, "exp": until, "sub": self._subject}
        token = jwt.encode(claims, self._key, "ES256")
        if len(self._tokens) >= _MAX_TOKENS:
            self._tokens.clear()
        self._tokens[origin] = token, until
        return token
