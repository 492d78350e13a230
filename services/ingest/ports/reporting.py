"""What is told of a notification, and what providers and readers tell back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol
from uuid import UUID

from libs.auth.links import Opened, Unsubscribe
from libs.explaining.story import Story, Waiting
from services.ingest.domain.reports import Report
from services.ingest.domain.results import Progress


class Statuses(Protocol):
    """How far notifications have come. Raises Retryable."""

    async def find(self, tenant: str, notification: UUID) -> dict[str, Any] | None:
        """Fields of entrypoints.http.schemas.NotificationStatus; None when nobody knows the id."""


Key = tuple[str, UUID]  # tenant, notification


class Results(Protocol):
    """How far notifications have come."""

    async def progress(self, keys: Collection[Key]) -> dict[Key, Progress]:
        """Of those that are planned. Raises Retryable."""


class Timelines(Protocol):
    """What happened to notifications."""

    async def page(
        self, tenant: str, notification: UUID, after: UUID | None, user: str | None, limit: int
    ) -> dict[str, Any] | None:
        """Fields of entrypoints.http.timeline.Timeline; None when it is not planned. Raises Retryable."""


class Explanations(Protocol):
    """Why people were or were not told."""

    async def find(self, tenant: str, notification: UUID, user: str | None, limit: int) -> Story | Waiting | None:
        """The story, for a person where one is named; None when the tenant has nothing of this id. Raises Retryable."""


class Reports(Protocol):
    """What providers say of deliveries."""

    async def apply(self, report: Report) -> bool:
        """Whether the delivery is known; a word that was heard before changes nothing. Raises Retryable."""


class Unsubscribes(Protocol):
    """People who follow the link in what they were sent."""

    async def apply(self, asked: Unsubscribe, *, everything: bool) -> None:
        """A new version of the person's preferences; the address of somebody unknown is suppressed.

        Raises Retryable.
        """


class Opens(Protocol):
    """Mails whose picture was fetched."""

    async def record(self, opened: Opened) -> bool:
        """Whether that is new: it is written down once, and only while the tenant wants it. Raises Retryable."""


class Certificates(Protocol):
    """The certificates that Amazon signs with."""

    async def fetch(self, url: str) -> bytes | None:
        """The PEM at an address that is Amazon's, else None. Raises Retryable."""

    async def confirm(self, url: str) -> None:
        """Follows the address that confirms a subscription, where it is Amazon's. Raises Retryable."""
