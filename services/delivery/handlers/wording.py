"""A provider whose deliveries are worded for their channel and person first. Implements ports.Provider."""

from __future__ import annotations

from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import Sent
from services.delivery.domain.wording import FindType, worded
from services.delivery.ports import Provider


class Worded:
    """Around any provider."""

    def __init__(self, provider: Provider, find_type: FindType) -> None:
        self.name = provider.name
        self._provider, self._find_type = provider, find_type

    async def send(self, delivery: Delivery) -> Sent:
        """Raises a Fault."""
        return await self._provider.send(worded(delivery, self._find_type(delivery.tenant, delivery.content.worded_by)))
