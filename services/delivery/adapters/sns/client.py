"""Sends deliveries as text messages. Implements ports.Provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from services.delivery.adapters.aws.signing import AwsSigner
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.sns.errors import message_id, of_answer
from services.delivery.adapters.sns.settings import SnsSettings
from services.delivery.domain import sms
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import Sent

_ATTRIBUTE = "MessageAttributes.entry."
_HEADERS = {"content-type": "application/x-www-form-urlencoded"}


class SnsClient:
    """One region. `link_base` is what relative action links are resolved against."""

    name = "sns"

    def __init__(
        self,
        asker: Asker,
        settings: SnsSettings,
        max_segments: int,
        link_base: str | None,
        clock: Callable[[], datetime],
        *,
        senders: Mapping[str, str] | None = None,
    ) -> None:
        self._senders = senders or {}
        self._asker, self._settings, self._max_segments = asker, settings, max_segments
        self._link_base, self._clock = link_base, clock
        self._signer = AwsSigner("sns", settings.sns_region or "", settings.key)

    async def send(self, delivery: Delivery) -> Sent:
        """Raises a Fault. Uncertain whenever Amazon may have made the message."""
        number = sms.number(delivery.recipient.phone)
        words = sms.text(delivery.content, self._link_base, self._max_segments)
        form = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "PhoneNumber": number,
            "Message": words,
            **_attribute(1, "AWS.SNS.SMS.SMSType", "Transactional"),
        }
        if sender := sms.sender_of(number, self._senders, self._settings.sns_sender or ""):
            form |= _attribute(2, "AWS.SNS.SMS.SenderID", sender)
        content, url = urlencode(form).encode(), self._settings.url
        answer = await self._asker.post(url, await self._signer.headers(url, _HEADERS, content), content)
        if answer.status != 200:
            raise of_answer(answer, self._clock())
        return Sent(code="200", provider_message_id=message_id(answer.body))


def _attribute(number: int, name: str, value: str) -> dict[str, str]:
    start = f"{_ATTRIBUTE}{number}."
    return {f"{start}Name": name, f"{start}Value.DataType": "String", f"{start}Value.StringValue": value}
