"""A provider and what is around it, as the contract suite asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

from libs.runtime.clock import utc_now
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.domain.composing import Composer
from services.delivery.domain.delivery import Content, Delivery, Device, Recipient
from services.delivery.domain.rendering import EmailRenderer
from services.delivery.errors import Fault, Overloaded, Retryable, Unavailable
from services.delivery.ports import Provider
from tests.integration.delivery.peers.cases import Case

TIMEOUT = 1.0  # seconds for a whole call
LOOPBACK = (ip_network("127.0.0.0/8"),)


class Kept:
    """Remembers which addresses were declared dead. Implements ports.Addresses."""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.taken: list[str] = []

    async def endpoint_gone(self, delivery: Delivery) -> None:
        assert delivery.recipient.endpoint is not None
        self.gone.append(delivery.recipient.endpoint.id)

    async def device_gone(self, delivery: Delivery, device: Device) -> None:
        self.gone.append(device.id)

    async def reached(self, delivery: Delivery, devices: Sequence[str]) -> None:
        self.taken += devices


@dataclass
class Asked:
    """A provider and what is around it.

    `unreachable` and `throttled` are the faults that it makes of those; `silent` is the same provider, whose server
    takes connections and says nothing; `tells_when` whether a throttling answer names a time.
    """

    provider: Provider
    delivery: Delivery
    behave: Callable[[Case], None]
    received: Callable[[], int]
    silent: Callable[[int], Provider]
    unreachable: type[Fault] = Unavailable
    throttled: type[Fault] = Overloaded
    server_error: type[Fault] = Retryable
    tells_when: bool = True
    addresses: Kept = field(default_factory=Kept)
    removed: Sequence[str] = ()  # what is taken out of the directory when the address is bad


Opened = AbstractAsyncContextManager[Asked]


def delivery(channel: str, recipient: Recipient, **content: Any) -> Delivery:
    """A delivery in the hands of a provider."""
    said = {"title": "A title", "message": "Some **words**.", "action_url": "https://app.example.test/r"} | content
    return Delivery(
        "default", uuid4(), channel, uuid4(), 0, utc_now(), recipient, Content(uuid4(), "service.alert", **said)
    )


def composer(settings: SmtpSettings) -> Composer:
    """Mail that says no more than its title."""
    return Composer(EmailRenderer("{{ title }}", "{{ title }}"), settings.sender, settings.domain, None, utc_now)
