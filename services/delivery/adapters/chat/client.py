"""Posts deliveries to the incoming webhooks of one chat service. Implements ports.Provider."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from services.delivery.adapters.chat.errors import Reading
from services.delivery.adapters.http.posting import Poster
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import Sent
from services.delivery.errors import Invalid
from services.delivery.ports import Addresses

Render = Callable[[Delivery, str | None], dict[str, Any]]

_HEADERS = {"content-type": "application/json", "user-agent": "Carillon"}


class ChatClient:
    """`render` makes the message, given the delivery and `link_base`; `read` finds the fault in an answer."""

    def __init__(
        self,
        name: str,
        render: Render,
        read: Reading,
        poster: Poster,
        addresses: Addresses,
        link_base: str | None,
        clock: Callable[[], datetime],
    ) -> None:
        self.name = name
        self._render, self._read, self._poster, self._addresses = render, read, poster, addresses
        self._link_base, self._clock = link_base, clock

    async def send(self, delivery: Delivery) -> Sent:
        """Raises a Fault. An incoming webhook that was removed is asked no more."""
        endpoint = delivery.recipient.endpoint
        if endpoint is None:
            raise Invalid("no-address")
        message = orjson.dumps(self._render(delivery, self._link_base))
        answer = await self._poster.post(endpoint.url, _HEADERS, message)
        fault = self._read(answer, self._clock())
        if fault is None:
            return Sent(code=str(answer.status))
        if fault.reason == "address-gone":
            await self._addresses.endpoint_gone(delivery)
        raise fault
