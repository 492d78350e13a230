"""Which of a tenant's endpoints (webhooks, chats) a notification is posted to.

On these channels a notification is for the tenant, not for a person: it is posted once to each endpoint, whoever else
is in its audience, and no preference of a person withholds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libs.runtime.ids import endpoint_recipient
from libs.schemas.events import ENDPOINT_CHANNELS


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a tenant. `events` and `types` are what it wants to hear of; empty is everything."""

    id: str
    channel: str
    events: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()

    @property
    def recipient(self) -> str:
        """How a delivery to it names it in place of a person."""
        return endpoint_recipient(self.id)

    def wants(self, event: str, key: str) -> bool:
        """Whether a notification of this event and type (catalogue key) is for it."""
        return (not self.events or event in self.events) and (not self.types or key in self.types)


def needed(channels: Iterable[str]) -> bool:
    """Whether any of the channels leads to endpoints."""
    return any(channel in ENDPOINT_CHANNELS for channel in channels)
