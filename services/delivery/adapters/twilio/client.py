"""Sends deliveries as text messages. Implements ports.Provider."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from libs.auth.links import CALLBACKS
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.twilio.errors import message_id, of_answer
from services.delivery.adapters.twilio.settings import TwilioSettings
from services.delivery.domain import sms
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import Sent

_SERVICE = "MG"


class TwilioClient:
    """One account. `link_base` is what relative action links are resolved against, `origin` where it calls back to."""

    name = "twilio"

    def __init__(
        self,
        asker: Asker,
        settings: TwilioSettings,
        max_segments: int,
        link_base: str | None,
        clock: Callable[[], datetime],
        *,
        origin: str | None = None,
        senders: Mapping[str, str] | None = None,
    ) -> None:
        self._senders = senders or {}
        self._asker, self._settings, self._max_segments = asker, settings, max_segments
        self._link_base, self._clock, self._origin = link_base, clock, origin
        self._url = f"{settings.twilio_url}2010-04-01/Accounts/{settings.twilio_account}/Messages.json"

    async def send(self, delivery: Delivery) -> Sent:
        """Raises a Fault. Uncertain whenever Twilio may have made the message."""
        number = sms.number(delivery.recipient.phone)
        sender = sms.sender_of(number, self._senders, self._settings.twilio_from or "")
        form = {
            "To": number,
            "MessagingServiceSid" if sender.startswith(_SERVICE) else "From": sender,
            "Body": sms.text(delivery.content, self._link_base, self._max_segments),
        }
        if self._origin:
            # The delivery is named in the address, so that a message whose making was not answered is told of too.
            named = urlencode({"tenant": delivery.tenant, "delivery": str(delivery.id)})
            form["StatusCallback"] = f"{self._origin}{CALLBACKS}twilio/status?{named}"
        login = base64.b64encode(f"{self._settings.twilio_account}:{self._settings.token}".encode()).decode()
        headers = {"content-type": "application/x-www-form-urlencoded", "authorization": f"Basic {login}"}
        answer = await self._asker.post(self._url, headers, urlencode(form).encode())
        if answer.status != 201:
            raise of_answer(answer, self._clock())
        return Sent(code="201", provider_message_id=message_id(answer.body))
