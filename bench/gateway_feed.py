"""Feeds a gateway as the router does: rows into the logs of rooms, committed, then records on its partition."""

from __future__ import annotations

import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from types import TracebackType

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.pacing import paced
from libs.runtime.clock import iso, utc_now
from libs.schemas.records import NotificationEmission, RoomEntry
from libs.schemas.topics import GATEWAY_INBOX

TENANT, EVENT, SIZE = "default", "service.event", 300
_CHUNK = 500
_AT = '"t":0'
_HEADS = """
insert into room_heads as h (tenant, room, seq)
select $1, room, count from unnest($2::text[], $3::bigint[]) u (room, count)
on conflict (tenant, room) do update set seq = h.seq + excluded.seq, at = greatest(h.at, clock_timestamp())
returning room, epoch, seq
"""
_NOTIFICATIONS = """
insert into notifications (tenant, id, event, type, name, severity, metadata, data, audience, rooms, catalogue_version,
  decisions_planned, source, accepted_at, planned_at)
select $1, id, $2, $2, 'bench', 'normal', '{}', '{}', '{}', array[room], '1', 0, '{}', now(), now()
from unnest($3::uuid[], $4::text[]) u (id, room)
"""
_LOG = """
insert into room_log (tenant, room, seq, type, at, notification)
select $1, room, seq, $2, clock_timestamp(), id from unnest($3::uuid[], $4::text[], $5::bigint[]) u (id, room, seq)
"""
_SLOTS = "select room, slot from listening_slots(array_fill($1::text, array[cardinality($2::text[])]), $2)"


class Feed:
    """Publishes to rooms, for the gateways where somebody listens."""

    def __init__(self, dsn: str, bootstrap: str) -> None:
        self._dsn = dsn
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks=1, linger_ms=2, compression_type="lz4")

    async def __aenter__(self) -> Feed:
        self._database = await asyncpg.connect(self._dsn)
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()
        await self._database.close()

    async def publish(self, rooms: Sequence[str], rate: float = 0) -> None:
        """One event to each of these rooms, in order; `rate` a second, or (0) as fast as it goes."""
        if rate:
            await paced(rate, len(rooms), lambda n: self._tell([rooms[n]]))
        else:
            for at in range(0, len(rooms), _CHUNK):
                await self._tell(rooms[at : at + _CHUNK])
        await self._producer.flush()

    async def _tell(self, rooms: Sequence[str]) -> None:
        await self._send(await self.written(rooms), rooms)

    async def hand_over(self, records: Sequence[str], rooms: Sequence[str]) -> None:
        """At once, records that have been `written` to these rooms."""
        await self._send(records, rooms)
        await self._producer.flush()

    async def _send(self, records: Sequence[str], rooms: Sequence[str]) -> None:
        # Asked for when the logs are committed, as the router does: who comes in between reads the log.
        slots: defaultdict[str, list[int]] = defaultdict(list)
        for row in await self._database.fetch(_SLOTS, TENANT, sorted(set(rooms))):
            slots[row["room"]].append(row["slot"])
        for template, room in zip(records, rooms, strict=True):
            value = template.replace(_AT, f'"t":{time.time_ns() // 1000}', 1).encode()
            for slot in slots[room]:
                await self._producer.send(GATEWAY_INBOX.name, value, partition=slot)

    async def written(self, rooms: Sequence[str]) -> list[str]:
        """Records of events that have been committed to the logs, without their time."""
        counts, ids = Counter(rooms), [uuid.uuid4() for _ in rooms]
        async with self._database.transaction():
            await self._database.execute(_NOTIFICATIONS, TENANT, EVENT, ids, rooms)
            heads = await self._database.fetch(
                _HEADS, TENANT, sorted(counts), [counts[room] for room in sorted(counts)]
            )
            before = {row["room"]: row["seq"] - counts[row["room"]] for row in heads}
            epochs = {row["room"]: row["epoch"] for row in heads}
            seqs = []
            for room in rooms:
                before[room] += 1
                seqs.append(before[room])
            await self._database.execute(_LOG, TENANT, EVENT, ids, rooms, seqs)
        places = [RoomEntry(room=r, epoch=epochs[r], seq=s) for r, s in zip(rooms, seqs, strict=True)]
        return [_record(identity, place) for identity, place in zip(ids, places, strict=True)]


def _record(identity: uuid.UUID, place: RoomEntry) -> str:
    record = NotificationEmission(
        tenant=TENANT,
        id=identity,
        event=EVENT,
        type=EVENT,
        name="bench",
        metadata={"timestamp": iso(utc_now())},
        data={"t": 0, "text": "x" * (SIZE - 40)},
        created_at=utc_now(),
        rooms=(place,),
    )
    return record.model_dump_json(by_alias=True, exclude_none=True)
