"""Sends deliveries as mail by Amazon SES. Implements ports.Provider."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from services.delivery.adapters.aws.signing import AwsSigner
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.ses.errors import message_id, of_answer
from services.delivery.adapters.ses.settings import SesSettings
from services.delivery.domain.composing import Composer
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import Sent

_HEADERS = {"content-type": "application/json"}
_TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")


class SesClient:
    """One region."""

    name = "ses"

    def __init__(self, asker: Asker, settings: SesSettings, composer: Composer, clock: Callable[[], datetime]) -> None:
        self._asker, self._settings, self._composer, self._clock = asker, settings, composer, clock
        self._url = f"{settings.url}v2/email/outbound-emails"
        self._signer = AwsSigner("ses", settings.ses_region or "", settings.key)

    async def send(self, delivery: Delivery) -> Sent:
        """Raises a Fault. Amazon gives the message a Message-ID of its own."""
        content = orjson.dumps(self._request(delivery))
        answer = await self._asker.post(self._url, await self._signer.headers(self._url, _HEADERS, content), content)
        if answer.status != 200 or not (found := message_id(answer.body)):
            raise of_answer(answer, self._clock())
        return Sent(code="200", provider_message_id=found)

    def _request(self, delivery: Delivery) -> dict[str, Any]:
        mail = self._composer.compose(delivery)
        # By these its events name the delivery, also one whose answer was lost.
        tags = {"carillon-tenant": delivery.tenant, "carillon-delivery": str(delivery.id)}
        asked: dict[str, Any] = {
            "FromEmailAddress": mail.sender,
            "Destination": {"ToAddresses": [mail.recipient]},
            "Content": {"Raw": {"Data": base64.b64encode(mail.message).decode()}},
            "EmailTags": [{"Name": n, "Value": v} for n, v in tags.items() if _TAG.fullmatch(v)],
        }
        if self._settings.ses_configuration_set:
            asked["ConfigurationSetName"] = self._settings.ses_configuration_set
        return asked
