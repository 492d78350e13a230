"""Customers are told what became of a notification, in order, and again when Kafka was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from itertools import pairwise
from uuid import UUID

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

from libs.kafka.producer import LazyProducer, create_producer
from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from libs.runtime.health import Progress
from libs.schemas.records import LifecycleRecord
from services.delivery.adapters.kafka import KafkaRecords
from services.delivery.adapters.lifecycle import PostgresLifecycle
from services.delivery.handlers.lifecycle import Relay
from services.delivery.ports import LifecyclePart
from tests.integration.delivery.conftest import StartWorkers
from tests.integration.delivery.planned import TENANT, Plan, Work

_CANCEL = "update deliveries set state = 'cancelled', reason = 'cancelled' where id = $1"
pytestmark = pytest.mark.covers("B8", "F2-5")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await create_pool(database, "carillon_delivery", max_size=4)
    yield pool
    await pool.close()


async def told(work: Work, wanted: Callable[[list[LifecycleRecord]], bool]) -> list[LifecycleRecord]:
    """Everything on the topic, once it is as wanted."""
    found: list[LifecycleRecord] = []
    topic = f"{work.prefix}notification.lifecycle"
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=work.bootstrap, auto_offset_reset="earliest")
    async with consumer, asyncio.timeout(20):
        while not wanted(found):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [LifecycleRecord.model_validate_json(record.value) for record in records]
                assert all(
                    r.key == str(LifecycleRecord.model_validate_json(r.value).notification_id).encode() for r in records
                )
    return found


async def test_the_states_of_a_delivery_in_their_order(start_workers: StartWorkers, plan: Plan, work: Work) -> None:
    sent, gone = await plan.one("ada", due_in=0), await plan.one("bob", due_in=0, email=None)
    late = await plan.one("cyd", due_in=0, expires_in=-1)
    start_workers()
    ended = {"sent", "failed", "expired"}
    found = await told(work, lambda records: sum(r.state in ended for r in records) == 3)
    await plan.connection.execute(
        "insert into receipts (tenant, user_id, notification, room, seq, read) "
        "values ($1, 'ada', $2, 'user:ada', 1, true)",
        TENANT,
        sent.notification,
    )
    found = await told(work, lambda records: any(r.state == "read" for r in records))
    states = {
        d.notification: [(r.state, r.reason) for r in found if r.notification_id == d.notification]
        for d in (sent, gone, late)
    }
    start = [("planned", None), ("planned", "planned")]
    assert states[sent.notification] == [*start, ("sent", "sent"), ("read", None)]
    assert states[gone.notification] == [*start, ("failed", "no-address")]
    assert states[late.notification] == [*start, ("expired", "expired")]
    for delivery in (sent, gone, late):
        mine = [r.sequence for r in found if r.notification_id == delivery.notification]
        assert all(first < second for first, second in pairwise(mine))
    async with asyncio.timeout(20):  # they are removed once Kafka has them
        while await plan.connection.fetchval("select count(*) from lifecycle_changes"):
            await asyncio.sleep(0.05)


class Away:
    """A topic that takes nothing for a while. Implements ports.LifecycleTopic."""

    def __init__(self, topic: KafkaRecords) -> None:
        self._topic, self.away, self.asked = topic, True, asyncio.Event()

    async def partitions(self) -> int:
        return await self._topic.partitions()

    async def publish(self, parts: Sequence[LifecyclePart]) -> None:
        self.asked.set()
        if self.away:
            raise KafkaConnectionError
        await self._topic.publish(parts)


@pytest.fixture
async def topic(work: Work) -> AsyncIterator[Away]:
    producer = LazyProducer(partial(create_producer, work.bootstrap))
    names = f"{work.prefix}delivery.dead", f"{work.prefix}notification.lifecycle"
    yield Away(KafkaRecords(producer, *names))
    await producer.discard()


async def test_nothing_is_lost_while_kafka_is_away(pool: asyncpg.Pool, plan: Plan, work: Work, topic: Away) -> None:
    planned = await plan.many([f"u{n}" for n in range(20)])
    stop, progress = asyncio.Event(), Progress("lifecycle", 60)
    relaying = asyncio.create_task(Relay(PostgresLifecycle(pool), topic, progress).run(stop))
    async with asyncio.timeout(10):
        await topic.asked.wait()
    assert await plan.connection.fetchval("select count(*) from lifecycle_changes") == 40
    topic.away = False
    found = await told(work, lambda records: len(records) >= 40)
    assert {r.delivery_id for r in found if r.delivery_id} == {p.id for p in planned}
    stop.set()
    await relaying


async def test_one_process_relays_at_a_time(pool: asyncpg.Pool, plan: Plan) -> None:
    await plan.one()
    lifecycle = PostgresLifecycle(pool)
    async with lifecycle.taken(10, 3) as mine, lifecycle.taken(10, 3) as others:
        assert sum(len(part.keys) for part in mine) == 2
        assert others == []
    async with lifecycle.taken(10, 3) as rest:
        assert rest == []


async def test_records_stand_as_their_contract_says(pool: asyncpg.Pool, plan: Plan) -> None:
    planned = await plan.many(['a"b\\c', "ünï", "plain"])
    async with PostgresLifecycle(pool).taken(100, 3) as parts:
        pass
    found = [pair for part in parts for pair in zip(part.keys, part.values, strict=True)]
    records = [LifecycleRecord.model_validate_json(value) for _, value in found]
    assert {r.user_id for r in records if r.delivery_id} == {'a"b\\c', "ünï", "plain"}
    assert {r.delivery_id for r in records if r.delivery_id} == {p.id for p in planned}
    for (key, value), record in zip(found, records, strict=True):
        assert key == str(record.notification_id).encode()
        assert set(orjson.loads(value)) == {field.alias for field in LifecycleRecord.model_fields.values()}
        assert abs((utc_now() - record.at).total_seconds()) < 60
    homes = {key: part.partition for part in parts for key in part.keys}
    assert all(homes[key] == UUID(key.decode()).int % 65_536 % 3 for key in homes)


async def test_what_was_rolled_back_is_not_told(plan: Plan) -> None:
    planned = await plan.one()
    before = await plan.connection.fetchval("select count(*) from lifecycle_changes")
    undone = plan.connection.transaction()
    await undone.start()
    await plan.connection.execute(_CANCEL, planned.id)
    await undone.rollback()
    assert await plan.connection.fetchval("select count(*) from lifecycle_changes") == before
    await plan.connection.execute(
        "update deliveries set state = 'cancelled', reason = 'cancelled' where id = $1", planned.id
    )
    row = await plan.connection.fetchrow("select state, reason from lifecycle_changes order by seq desc limit 1")
    assert row is not None
    assert (row["state"], row["reason"]) == ("cancelled", "cancelled")
