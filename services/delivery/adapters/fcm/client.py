"""Hands messages to FCM. Implements ports.DeviceSender."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import orjson

from services.delivery.adapters.fcm.errors import UNAUTHENTICATED, of_answer, of_token_answer
from services.delivery.adapters.fcm.settings import ServiceAccount
from services.delivery.adapters.http.asking import Asker
from services.delivery.domain import push
from services.delivery.domain.delivery import Device
from services.delivery.domain.push import PushMessage
from services.delivery.errors import Unavailable, Uncertain

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_EARLY = timedelta(minutes=1)
_PRIORITIES = {"low": "NORMAL", "normal": "NORMAL", "high": "HIGH"}


class FcmClient:
    """`url` ends with a slash."""

    def __init__(self, asker: Asker, account: ServiceAccount, url: str, clock: Callable[[], datetime]) -> None:
        self._asker, self._account, self._clock = asker, account, clock
        self._url = f"{url}v1/projects/{account.project_id}/messages:send"
        self._token, self._until = "", datetime.min.replace(tzinfo=UTC)
        self._renewing = asyncio.Lock()

    async def send(self, device: Device, message: PushMessage) -> None:
        """Raises a Fault; `address-gone` when the application was removed from the device."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {await self._access()}"}
        answer = await self._asker.post(self._url, headers, orjson.dumps({"message": _message(device, message)}))
        if answer.status == UNAUTHENTICATED:
            self._token = ""
        if not 200 <= answer.status < 300:
            raise of_answer(answer, self._clock())

    async def _access(self) -> str:
        async with self._renewing:  # one asks, the others wait for its token
            if not self._token or self._clock() >= self._until:
                self._token, life = await self._new_token()
                self._until = self._clock() + timedelta(seconds=life) - _EARLY
            return self._token

    async def _new_token(self) -> tuple[str, float]:
        now, account = self._clock(), self._account
        claims: dict[str, Any] = {
            "iss": account.client_email,
            "scope": _SCOPE,
            "aud": account.token_uri,
            "iat": now,
            "exp": now + timedelta(hours=1),
        }
        named = {"kid": account.private_key_id} if account.private_key_id else None
        assertion = jwt.encode(claims, account.private_key.get_secret_value(), "RS256", headers=named)
        form = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
        try:
            answer = await self._asker.post(
                account.token_uri, {"content-type": "application/x-www-form-urlencoded"}, form
            )
        except Uncertain as silence:  # about a token, not about a message
            raise Unavailable("provider-unavailable", detail=silence.detail) from silence
        if answer.status != 200:
            raise of_token_answer(answer)
        try:
            found = orjson.loads(answer.body)
            return str(found["access_token"]), float(found["expires_in"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise of_token_answer(answer) from None


def _message(device: Device, message: PushMessage) -> dict[str, Any]:
    return {
        "token": device.token,
        "notification": {"title": message.title, "body": message.body},
        "data": push.data(message),
        "android": {
            "priority": _PRIORITIES[message.urgency],
            "ttl": f"{message.ttl}s",
            "collapse_key": message.topic,
            "notification": {"tag": message.topic},
        },
    }
