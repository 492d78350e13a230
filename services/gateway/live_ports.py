"""What live rooms and presence need from the world. What asks the database raises Retryable when it is away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from libs.auth.tokens import Identity
from libs.schemas.records import PresenceChange, PresenceStatus
from services.gateway.domain.joining import Policy, Resource
from services.gateway.domain.presence import Present
from services.gateway.ports import Person


class Policies(Protocol):
    """Who may join the resources of a tenant."""

    async def of(self, tenant: str) -> dict[str, Policy]:
        """By resource type."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application says, and for how many seconds that holds at most."""

    allowed: bool
    seconds: float


class Application(Protocol):
    """The application of a tenant, which knows who may join its resources."""

    async def may_join(self, policy: Policy, identity: Identity, wanted: Resource) -> Answer | None:
        """None when it does not answer, or not as it should."""
        ...


class GatewaySwept(Exception):
    """The others have given this gateway up: it comes back under another name."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Who is online in a tenant, as clients are told: people are `{userId, status, customStatus, lastSeen}`."""

    total: int
    by_role: Mapping[str, int]
    people: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Connected:
    """The sockets of a person, and the sessions that their tokens name."""

    user_id: str
    sockets: int
    sessions: tuple[str, ...]


class Presences(Protocol):
    """Who is here, at any gateway."""

    async def beat(self, gateway: str, *, new: bool, lease: float | None = None) -> bool:
        """Counts as alive for a lease from now on (or for `lease` seconds); False when the gateway was swept."""
        ...

    async def report(self, gateway: str, people: Sequence[Present]) -> list[PresenceChange]:
        """Writes how many sockets the gateway has of each; what others may notice of it. Raises GatewaySwept."""
        ...

    async def sweep(self, limit: int) -> list[PresenceChange]:
        """Takes out up to `limit` people of a gateway that has gone silent."""
        ...

    async def choose(
        self, person: Person, status: PresenceStatus, custom: str | None, *, keep: bool
    ) -> list[PresenceChange]:
        """What the person chose, in every tenant where they show; with `keep` the custom status stays."""
        ...

    async def since(self, moments: Mapping[str, datetime], limit: int) -> list[tuple[PresenceChange, datetime]]:
        """What has changed in each tenant after its moment, the oldest `limit`, with when."""
        ...

    async def sizes(self, tenants: Iterable[str], limit: int) -> dict[str, int]:
        """How many members each tenant has, counted up to `limit`."""
        ...

    async def stats(self, person: Person, users: Sequence[str] | None, limit: int) -> Stats:
        """Of the person's tenant; the people asked for, else the first `limit` who are online."""
        ...

    async def sockets(self, person: Person, users: Sequence[str] | None, limit: int) -> list[Connected]:
        """Of the person's tenant, for its administrators."""
        ...
