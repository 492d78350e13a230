"""Hands messages to APNs. Implements ports.DeviceSender."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import jwt
import orjson

from services.delivery.adapters.apns.errors import FORBIDDEN, of_answer
from services.delivery.adapters.http.asking import Asker
from services.delivery.domain import push
from services.delivery.domain.delivery import Device
from services.delivery.domain.push import PushMessage

_RENEW = timedelta(minutes=50)  # Apple takes a token for an hour, and no more than one new one in 20 minutes
_PRIORITIES = {"low": "5", "normal": "5", "high": "10"}


class ApnsClient:
    """`key` is a PEM; `topic` the application's bundle id; `url` ends with a slash."""

    def __init__(
        self,
        asker: Asker,
        key: str,
        *,
        key_id: str,
        team_id: str,
        topic: str,
        url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._asker, self._key, self._key_id, self._team_id, self._topic = asker, key, key_id, team_id, topic
        self._url, self._clock = url, clock
        self._token, self._made_at = "", datetime.min.replace(tzinfo=UTC)

    async def send(self, device: Device, message: PushMessage) -> None:
        """Raises a Fault; `address-gone` when the application was removed from the device."""
        now = self._clock()
        headers = {
            "authorization": f"bearer {self._bearer(now)}",
            "apns-topic": self._topic,
            "apns-push-type": "alert",
            "apns-priority": _PRIORITIES[message.urgency],
            "apns-expiration": str(int(now.timestamp()) + message.ttl if message.ttl else 0),
            "apns-collapse-id": message.topic,
        }
        alert = {"title": message.title, "body": message.body}
        content = orjson.dumps({"aps": {"alert": alert, "sound": "default"}, **push.data(message)})
        answer = await self._asker.post(f"{self._url}3/device/{quote(device.token, safe='')}", headers, content)
        if answer.status == FORBIDDEN:
            self._token = ""
        if answer.status != 200:
            raise of_answer(answer, self._clock())

    def _bearer(self, now: datetime) -> str:
        if not self._token or now - self._made_at > _RENEW:
            claims = {"iss": self._team_id, "iat": int(now.timestamp())}
            self._token = jwt.encode(claims, self._key, "ES256", headers={"kid": self._key_id})
            self._made_at = now
        return self._token
