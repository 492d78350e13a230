"""Stands in for the router: writes notifications into room logs and hands them to the gateways that listen."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer

from libs.runtime.clock import iso, utc_now
from libs.schemas.records import Ephemeral, MembershipChange, NotificationEmission, RoomEntry, Withdrawal
from libs.schemas.rooms import ordered
from libs.schemas.topics import GATEWAY_INBOX

_NOTIFICATION = """
insert into notifications (tenant, id, event, type, name, title, message, severity, metadata, data, extras, audience,
  rooms, catalogue_version, decisions_planned, source, accepted_at, planned_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '{}', $12, '1', 0, '{}', $13, $13)
"""
_HEAD = """
insert into room_heads as h (tenant, room, seq) values ($1, $2, 1)
on conflict (tenant, room) do update set seq = h.seq + 1, at = greatest(h.at, clock_timestamp())
returning epoch, seq, at
"""
_ENTRY = """
insert into room_log (tenant, room, seq, type, prior, at, notification, kind, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_INTEREST = """
select distinct i.slot from room_interest i join gateway_slots g on g.slot = i.slot and g.epoch = i.slot_epoch
where i.tenant = $1 and i.room = any ($2)
"""


@dataclass
class Scribe:
    """Writes as superuser. `bootstrap` and `prefix` say where records for gateways go."""

    dsn: str
    bootstrap: str
    prefix: str

    async def __aenter__(self) -> Scribe:
        self.pool = await asyncpg.create_pool(self.dsn, min_size=1, max_size=2)
        self.producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await self.producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.producer.stop()
        await self.pool.close()

    async def write(self, *rooms: str, tenant: str = "default", **fields: Any) -> NotificationEmission:
        """Commits a notification to the logs of its rooms, and tells nobody."""
        return await self._stored(tenant, ordered(rooms), fields)

    async def publish(self, *rooms: str, tenant: str = "default", **fields: Any) -> NotificationEmission:
        """Writes a notification and hands it to every gateway slot that listens to one of its rooms."""
        record = await self.write(*rooms, tenant=tenant, **fields)
        await self.tell(record)
        return record

    async def tell(self, record: NotificationEmission | Withdrawal | MembershipChange | Ephemeral) -> None:
        """Hands on what was written, or stands in no log."""
        value = record.model_dump_json(by_alias=True, exclude_none=True).encode()
        if isinstance(record, MembershipChange):
            rooms = [f"user:{record.user_id}"]
        elif isinstance(record, Ephemeral):
            rooms = list(record.rooms)
        else:
            rooms = [place.room for place in record.rooms]
        for row in await self.pool.fetch(_INTEREST, record.tenant, rooms):
            await self.producer.send_and_wait(self.prefix + GATEWAY_INBOX.name, value, partition=row["slot"])

    async def tell_membership(self, user: str, tenant: str = "default") -> None:
        """Tells the gateways where the person listens that their memberships changed."""
        query = "select version from membership_versions where tenant = $1 and user_id = $2"
        version = await self.value(query, tenant, user)
        await self.tell(MembershipChange(tenant=tenant, user_id=user, version=version))

    async def policy(self, tenant: str, kind: str, **columns: Any) -> None:
        """Registers a policy of resources."""
        names = ["tenant", "resource_type", *columns]
        places = ", ".join(f"${place}" for place in range(1, len(names) + 1))
        statement = f"insert into resource_policies ({', '.join(names)}) values ({places})"
        await self.pool.execute(statement, tenant, kind, *columns.values())

    async def value(self, query: str, *arguments: Any) -> Any:
        """One value from the database."""
        return await self.pool.fetchval(query, *arguments)

    async def tenant(self, *names: str) -> None:
        """Makes tenants."""
        await self.pool.execute("insert into tenants (tenant) select unnest($1::text[]) on conflict do nothing", names)

    async def members(self, room: str, *users: str, tenant: str = "default", role: str = "member") -> None:
        """Opens memberships as the directory does."""
        size = len(users)
        await self.pool.execute(
            "select memberships_open($1, $2, $3, $4, 'directory')", [tenant] * size, users, [room] * size, [role] * size
        )

    async def dismiss(self, room: str, *users: str, tenant: str = "default") -> None:
        """Closes memberships as the directory does."""
        size = len(users)
        await self.pool.execute("select memberships_close($1, $2, $3)", [tenant] * size, users, [room] * size)

    async def _stored(self, tenant: str, rooms: Sequence[str], fields: dict[str, Any]) -> NotificationEmission:
        given = {"event": "system.notification", "type": "system.notification", "title": "T", "message": "M"} | fields
        given.setdefault("metadata", {"timestamp": iso(utc_now())})
        identity, now = uuid.uuid4(), utc_now()
        await self.tenant(tenant)
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(_NOTIFICATION, *_columns(tenant, identity, rooms, given, now))
            places = [
                await self._append(connection, tenant, rooms, n, given["type"], identity, until=given.get("expires_at"))
                for n in range(len(rooms))
            ]
        return NotificationEmission(tenant=tenant, id=identity, created_at=now, rooms=tuple(places), **given)

    async def withdraw(self, record: NotificationEmission, among: Collection[str] | None = None) -> Withdrawal:
        """Commits a control entry in each room of a notification (or in those `among` them), and tells nobody."""
        rooms = [place.room for place in record.rooms if among is None or place.room in among]
        async with self.pool.acquire() as connection, connection.transaction():
            places = [
                await self._append(connection, record.tenant, rooms, n, "cancelled", record.id, control=1)
                for n in range(len(rooms))
            ]
        given = {"tenant": record.tenant, "notification_id": record.id, "reason": "cancelled"}
        return Withdrawal(at=utc_now(), rooms=tuple(places), **given)

    @staticmethod
    async def _append(
        connection: Any,
        tenant: str,
        rooms: Sequence[str],
        place: int,
        kind: str,
        identity: uuid.UUID,
        *,
        control: int = 0,
        until: datetime | None = None,
    ) -> RoomEntry:
        room = rooms[place]
        head = await connection.fetchrow(_HEAD, tenant, room)
        prior = None if place == 0 or room.startswith("user:") else list(rooms[:place])
        given = (tenant, room, head["seq"], kind, prior, head["at"], identity, control, until)
        await connection.execute(_ENTRY, *given)
        return RoomEntry(room=room, epoch=head["epoch"], seq=head["seq"])


def _columns(tenant: str, identity: uuid.UUID, rooms: Sequence[str], given: dict[str, Any], now: Any) -> list[Any]:
    extras = {name: given[name] for name in ("actor", "related", "tags") if name in given}
    data = given.get("data")
    return [
        tenant,
        identity,
        given["event"],
        given["type"],
        given.get("name"),
        given.get("title"),
        given.get("message"),
        given.get("severity", "normal"),
        orjson.dumps(given["metadata"]).decode(),
        None if data is None else orjson.dumps(data).decode(),
        orjson.dumps(extras).decode(),
        list(rooms),
        now,
    ]
