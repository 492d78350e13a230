"""What people keep of their own: devices that push reaches, and topics that they subscribe to (B2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from libs.auth.tokens import Identity
from libs.runtime.ids import derived
from libs.schemas.records import MembershipChange
from services.gateway.domain.devices import Platform
from services.gateway.domain.inbox import reader
from services.gateway.handlers.telling import Telling
from services.gateway.store_ports import Device, PeopleStore

MAX_DEVICES = 50
MAX_TOPICS = 500


class PeopleDesk:
    """Of whoever calls. Everything raises Retryable when the database is away."""

    def __init__(self, store: PeopleStore, telling: Telling) -> None:
        self._store, self._telling = store, telling

    async def devices(self, identity: Identity) -> list[Device]:
        """Newest first."""
        return await self._store.devices(reader(identity))

    async def register(
        self, identity: Identity, device_id: str | None, platform: Platform, token: str, keys: Mapping[str, str]
    ) -> Device | None:
        """Registers or renews a device; None when the person has too many. Without an id its address gives one."""
        name = device_id or str(derived("device", platform, token))
        return await self._store.put_device(reader(identity), name, platform, token, keys, MAX_DEVICES)

    async def forget(self, identity: Identity, device_id: str) -> bool:
        """Whether there was such a device."""
        return await self._store.delete_device(reader(identity), device_id)

    async def topics(self, identity: Identity) -> list[tuple[str, datetime]]:
        """The topics, and since when."""
        return await self._store.topics(reader(identity))

    async def subscribe(self, identity: Identity, topic: str) -> bool:
        """Whether it could be: there is an end to how many."""
        version = await self._store.subscribe(reader(identity), topic, MAX_TOPICS)
        await self._tell(identity, version)
        return version is not None

    async def unsubscribe(self, identity: Identity, topic: str) -> bool:
        """Whether it was subscribed."""
        version = await self._store.unsubscribe(reader(identity), topic)
        await self._tell(identity, version)
        return version != 0

    async def _tell(self, identity: Identity, version: int | None) -> None:
        if version:
            change = MembershipChange(tenant=identity.tenant, user_id=identity.reader, version=version)
            await self._telling.membership(change)
