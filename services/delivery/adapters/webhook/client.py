"""Posts deliveries to a tenant's endpoints. Implements ports.Provider."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.delivery.adapters.http.posting import Poster
from services.delivery.adapters.webhook.errors import GONE, of_answer
from services.delivery.domain import webhook
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import Sent
from services.delivery.errors import Invalid
from services.delivery.ports import Addresses


class WebhookClient:
    """`link_base` is what relative action links are resolved against."""

    name = "webhook"

    def __init__(
        self, poster: Poster, addresses: Addresses, link_base: str | None, clock: Callable[[], datetime]
    ) -> None:
        self._poster, self._addresses, self._link_base, self._clock = poster, addresses, link_base, clock

    async def send(self, delivery: Delivery) -> Sent:
        """Raises a Fault. An endpoint that says it is gone is asked no more."""
        endpoint = delivery.recipient.endpoint
        if endpoint is None:
            raise Invalid("no-address")
        content = webhook.body(delivery, self._link_base)
        headers = webhook.headers(delivery, content, endpoint.secrets, self._clock())
        answer = await self._poster.post(endpoint.url, headers, content)
        if 200 <= answer.status < 300:
            return Sent(code=str(answer.status))
        if answer.status == GONE:
            await self._addresses.endpoint_gone(delivery)
        raise of_answer(answer, self._clock())
