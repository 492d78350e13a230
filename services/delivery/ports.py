"""What delivery needs from the world."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from libs.schemas.records import DeadLetter, DeliveryReference
from services.delivery.domain.delivery import Delivery, Device
from services.delivery.domain.outcome import Outcome, Sent
from services.delivery.domain.push import PushMessage


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one provider made of a delivery. `outcome` is sent, retry, unavailable, failed or unknown."""

    provider: str
    outcome: str
    reason: str
    code: str | None
    detail: str | None
    started_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one delivery, and who was asked for it in this order."""

    delivery: Delivery
    outcome: Outcome
    attempts: tuple[Attempt, ...] = ()

    @property
    def provider(self) -> str | None:
        """Who was asked last: the others surely do not have it."""
        return self.attempts[-1].provider if self.attempts else None


@dataclass(frozen=True, slots=True)
class Failure:
    """A delivery that has failed and whose dead letter is not known to be written."""

    tenant: str
    id: UUID
    notification: UUID
    channel: str
    reason: str
    attempts: int
    created_at: datetime
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Reaped:
    """Leases that had run out: claims that are planned again, and attempts whose outcome nobody recorded."""

    planned: int
    unknown: int


@dataclass(frozen=True, slots=True)
class LifecyclePart:
    """What one partition is to be told: keys and records in their order, as bytes that nobody looks into."""

    partition: int
    keys: Sequence[bytes]
    values: Sequence[bytes]


class Provider(Protocol):
    """Sends one delivery at a time; many calls may run at once."""

    @property
    def name(self) -> str:
        """The provider's name in records, metrics and logs."""

    async def send(self, delivery: Delivery) -> Sent:
        """Raises a Fault of services.delivery.errors. Ends within the time that it was made with."""


class Ledger(Protocol):
    """The record of all deliveries of one channel. Raises what the database raises."""

    async def claim(self, references: Sequence[DeliveryReference]) -> list[Delivery]:
        """Claims those of the named deliveries that are to be sent now."""

    async def claim_due(self, limit: int) -> list[Delivery]:
        """Claims the deliveries that have been due for longest."""

    async def exchange(
        self, ended: Sequence[Result], waiting: Sequence[Delivery]
    ) -> tuple[list[Result], list[Delivery]]:
        """Writes outcomes, and in the same moment marks claimed deliveries as being sent, each by its first provider.

        Returns the results whose claim still held (the others have no effect) and the deliveries whose claim holds.
        """

    async def turn(self, delivery: Delivery, provider: str) -> bool:
        """Writes down that another provider is asked for it now; whether its claim still holds."""

    async def give_back(self, deliveries: Sequence[Delivery], reason: str, delays: Sequence[float]) -> None:
        """Plans claimed deliveries again, each due in so many seconds."""

    async def reap(self, limit: int) -> Reaped:
        """Ends leases that have run out."""

    async def unburied(self, limit: int) -> list[Failure]:
        """Failed deliveries without a dead letter; nobody else is given them for a lease."""

    async def buried(self, failures: Sequence[Failure]) -> None:
        """Their dead letters are written."""

    async def due(self, limit: int) -> int:
        """How many are due now, counted up to `limit`."""


class Addresses(Protocol):
    """Where a provider's word on single addresses is kept. Nothing is raised while the database is away."""

    async def endpoint_gone(self, delivery: Delivery) -> None:
        """Nothing more is posted to the delivery's endpoint, unless its address has been changed since."""

    async def device_gone(self, delivery: Delivery, device: Device) -> None:
        """The person has the device no more, unless it has registered anew since."""

    async def reached(self, delivery: Delivery, devices: Sequence[str]) -> None:
        """These devices have taken it: a later attempt leaves them out."""


class DeviceSender(Protocol):
    """Sends one push to one device; many calls may run at once."""

    async def send(self, device: Device, message: PushMessage) -> None:
        """Raises a Fault; its reason is `address-gone` when the device is to be removed."""


class Lifecycle(Protocol):
    """Changes of notifications and deliveries that customers have not been told of."""

    def taken(self, limit: int, partitions: int) -> AbstractAsyncContextManager[Sequence[LifecyclePart]]:
        """About so many of the oldest changes, by the partitions of the topic; none while another process has them.

        They are removed when the block ends well.
        """


class LifecycleTopic(Protocol):
    """Where customers read. Raises aiokafka.errors.KafkaError."""

    async def partitions(self) -> int:
        """How many the topic has."""

    async def publish(self, parts: Sequence[LifecyclePart]) -> None:
        """Returns when all are acknowledged."""


class DeadLetters(Protocol):
    """Where an operator finds what could not be delivered."""

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Returns when all are acknowledged. Raises aiokafka.errors.KafkaError."""
