"""What ephemeral events and the policies of resources need from the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

Room = tuple[str, str]  # (tenant, room)


class Listeners(Protocol):
    """Who listens now."""

    async def of(self, rooms: Sequence[Room]) -> Mapping[Room, Sequence[int]]:
        """The gateway slots with somebody in each room; one without any is missing. Raises Retryable."""


class PolicyChange(NamedTuple):
    """A policy as a whole. `keeps_grant_key` leaves the key as it is; `new_secret` is used where one is needed."""

    members: list[str]
    grant_key: str | None
    keeps_grant_key: bool
    url: str | None
    new_secret: str
    rotate: bool
    cache_seconds: int
    client_events: bool


class ResourcePolicies(Protocol):
    """Who may join the resources of a tenant; every change stands in the audit trail. Raises Retryable."""

    async def list(self, tenant: str) -> list[dict[str, Any]]:
        """All of them, without keys and secrets."""

    async def find(self, tenant: str, kind: str) -> dict[str, Any] | None:
        """One of them."""

    async def put(self, tenant: str, kind: str, change: PolicyChange, actor: str) -> str | None:
        """The secret that was made, if one was. Raises LookupError when the tenant has as many as it may."""

    async def remove(self, tenant: str, kind: str, actor: str) -> bool:
        """Whether there was one."""
