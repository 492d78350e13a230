"""Hands messages to FCM. Implements ports.DeviceSender."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
from google.oauth2.service_account import Credentials

from services.delivery.adapters.fcm.access import Access
from services.delivery.adapters.fcm.errors import UNAUTHENTICATED, of_answer
from services.delivery.adapters.http.asking import Asker
from services.delivery.domain import push
from services.delivery.domain.delivery import Device
from services.delivery.domain.push import PushMessage

_PRIORITIES = {"low": "NORMAL", "normal": "NORMAL", "high": "HIGH"}


class FcmClient:
    """`url` ends with a slash."""

    def __init__(self, asker: Asker, credentials: Credentials, url: str, clock: Callable[[], datetime]) -> None:
        self._asker, self._access, self._clock = asker, Access(asker, credentials), clock
        self._url = f"{url}v1/projects/{quote(credentials.project_id, safe=':')}/messages:send"

    async def send(self, device: Device, message: PushMessage) -> None:
        """Raises a Fault; `address-gone` when the application was removed from the device."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {await self._access.token()}"}
        answer = await self._asker.post(self._url, headers, orjson.dumps({"message": _message(device, message)}))
        if answer.status == UNAUTHENTICATED:
            self._access.refused()
        if not 200 <= answer.status < 300:
            raise of_answer(answer, self._clock())


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
