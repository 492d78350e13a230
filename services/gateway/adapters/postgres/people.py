"""What people keep of their own in PostgreSQL: their devices, and the topics that they subscribe to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import asyncpg
import orjson

from libs.postgres.queries import load
from libs.schemas import rooms
from services.gateway.adapters.postgres.database import Database
from services.gateway.domain.devices import Platform
from services.gateway.domain.inbox import Reader
from services.gateway.store_ports import Device

_SQL = load(Path(__file__).with_suffix(".sql"))


class PostgresPeople:
    """See store_ports.PeopleStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def devices(self, who: Reader) -> list[Device]:
        """See store_ports.PeopleStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            return [_device(row) for row in await connection.fetch(_SQL["devices"], who.tenant, who.reader)]

    async def put_device(
        self, who: Reader, device_id: str, platform: Platform, token: str, keys: Mapping[str, str], most: int
    ) -> Device | None:
        """See store_ports.PeopleStore."""
        given = (device_id, platform, token, orjson.dumps(keys).decode(), most)
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            await connection.fetch(_SQL["take_over"], platform, token)
            row = await connection.fetchrow(_SQL["put_device"], who.tenant, who.reader, *given)
        return None if row is None else _device(row)

    async def delete_device(self, who: Reader, device_id: str) -> bool:
        """See store_ports.PeopleStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            return await connection.fetchval(_SQL["delete_device"], who.tenant, who.reader, device_id) is not None

    async def topics(self, who: Reader) -> list[tuple[str, datetime]]:
        """See store_ports.PeopleStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            rows = await connection.fetch(_SQL["topics"], who.tenant, who.reader)
        return [(row["topic"], row["joined_at"]) for row in rows]

    async def subscribe(self, who: Reader, topic: str, most: int) -> int | None:
        """See store_ports.PeopleStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            room = rooms.topic(topic)
            version: int | None = await connection.fetchval(_SQL["subscribe"], who.tenant, who.reader, room, most)
            return version

    async def unsubscribe(self, who: Reader, topic: str) -> int:
        """See store_ports.PeopleStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            return int(await connection.fetchval(_SQL["unsubscribe"], who.tenant, who.reader, rooms.topic(topic)))


def _device(row: asyncpg.Record) -> Device:
    return Device(row["device_id"], row["platform"], row["updated_at"])
