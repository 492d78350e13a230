"""The road from `noti`: every record ends on its typed topic or on `noti.invalid`, and is counted once."""

from __future__ import annotations

import base64
import random
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from libs.schemas.events import EVENT_NAMES
from libs.schemas.records import AcceptedEvent, DeadLetter
from tests.integration.ingest.system import System, ingesting, until
from tests.unit.ingest.test_admission import BAD
from tests.unit.schemas.examples import METADATA, example

pytestmark = pytest.mark.covers("F0-1", "F0-2", "F0-3", "B1", "B7", "S3")

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_valid_events_go_to_their_topics_with_key_and_trace(system: System, http: httpx.AsyncClient) -> None:
    for event in EVENT_NAMES:
        await system.publish(example(event, future=1), key=b"producer", headers=[("traceparent", TRACE.encode())])
    for event in EVENT_NAMES:
        (record,) = await system.records(event, 1)
        read = AcceptedEvent.model_validate_json(record.value)
        assert (read.event, read.tenant, (read.model_extra or {})["future"]) == (event, "default", 1)
        assert record.key == (b"agent-1" if event == "agent.event" else b"producer")
        assert dict(record.headers) == {"traceparent": TRACE.encode()}
    await system.accounted(4)


async def test_every_kind_of_bad_record_is_kept_with_its_reason(system: System, http: httpx.AsyncClient) -> None:
    places: dict[tuple[int, int], Any] = {}
    for name, event, code, field in BAD:
        places[await system.publish(event, key=name.encode())] = (name, code, field)
    headers = [("idempotency-key", b"\xff")]
    places[await system.publish(example("service.event"), key=b"header", headers=headers)] = (
        "header",
        "invalid-header",
        "headers.idempotency-key",
    )
    await system.publish(example("service.event"))
    await system.accounted(1, dead=len(places))
    letters = [DeadLetter.model_validate_json(r.value) for r in await system.records("noti.invalid", len(places))]
    for letter in letters:
        name, code, field = places.pop((letter.source.partition, letter.source.offset))
        assert (letter.code, letter.field, letter.source.topic) == (code, field, f"{system.prefix}noti"), name
        assert base64.b64decode(letter.key or "") == name.encode()
        assert letter.source_timestamp is not None
        assert (letter.value is None) == (name == "tombstone")
    assert places == {}


async def test_the_original_of_two_megabytes_is_kept(system: System, http: httpx.AsyncClient) -> None:
    original = b"\x00\xff" * 1_000_000
    await system.publish(original)
    (record,) = await system.records("noti.invalid", 1)
    assert base64.b64decode(DeadLetter.model_validate_json(record.value).value or "") == original


async def test_a_tenant_is_taken_as_soon_as_it_exists_and_refused_when_disabled(system: System) -> None:
    event = example("service.event", metadata=METADATA | {"tenantId": "acme"})
    async with ingesting(system, noti_tenants=frozenset({"default", "acme"})):
        await system.publish(event)
        await system.accounted(0, dead=1)
        await system.db.execute("insert into tenants (tenant) values ('acme'), ('other')")
        await system.publish(event)
        await system.accounted(1, dead=1)
        await system.publish(example("service.event", metadata=METADATA | {"tenantId": "other"}))
        await system.accounted(1, dead=2)
        await system.db.execute("update tenants set disabled_at = now() where tenant = 'acme'")
        dead = 2

        async def refused() -> bool:
            nonlocal dead
            await system.publish(event)
            before = (await system.counted())[:2]
            return (await until(system.counted, lambda found: found[:2] != before))[1] > dead

        await until(refused, bool)


async def test_a_repeated_publish_is_the_same_notification(system: System, http: httpx.AsyncClient) -> None:
    for headers in (
        [("idempotency-key", b"order-7")],
        [("idempotency-key", b"order-7")],
        [("ce_source", b"/shop"), ("ce_id", b"7")],
        [("ce_source", b"/shop"), ("ce_id", b"7")],
    ):
        await system.publish(example("service.event"), headers=headers)
    await system.publish(example("service.event", id="order-7"))
    ids = [AcceptedEvent.model_validate_json(r.value).id for r in await system.records("service.event", 5)]
    assert len(set(ids)) == 2


async def test_aborted_transactions_are_gaps(system: System, http: httpx.AsyncClient) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=system.bootstrap, transactional_id=f"{system.prefix}t")
    async with producer:
        await producer.begin_transaction()
        await producer.send_and_wait(system.prefix + "noti", b"never", partition=0)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(system.prefix + "noti", b"{", partition=0)
    await system.publish(example("service.event"), partition=0)
    await until(system.counted, lambda found: found == (1, 1, 3, True))


async def test_a_new_process_goes_on_where_the_ledger_is(system: System) -> None:
    async with ingesting(system):
        await system.publish(example("service.event"))
        await system.accounted(1)
    await system.publish(example("service.event"))
    async with ingesting(system):
        await system.accounted(2)
    assert len(await system.records("service.event", 2)) == 2


async def test_counts_of_another_cluster_are_left_alone(system: System) -> None:
    async with ingesting(system):
        await system.publish(example("service.event"), partition=0)
        await system.accounted(1)
    await system.db.execute("update progress set cluster = 'another', next_offset = 900, accepted = 900")
    async with ingesting(system):
        await system.publish(example("service.event"), partition=0)
        rows = "select generation, accepted from progress where partition = 0 order by generation"
        await until(lambda: system.db.fetch(rows), lambda found: [tuple(row) for row in found] == [(1, 900), (2, 1)])


async def test_a_record_that_the_brokers_never_take_does_not_hold_up_the_others(
    system: System, http: httpx.AsyncClient
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=system.bootstrap)
    await admin.start()
    try:
        topic = f"{system.prefix}service.event"
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "3000"})])
        # The controller has taken it; the broker goes by it a moment later.
        await until(lambda: _limit(admin, topic), lambda limit: limit == "3000")
    finally:
        await admin.close()
    noise = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000))  # hardly compressible
    for data in ({"n": 1}, {"noise": noise}, {"n": 2}):
        await system.publish(example("service.event", data=data), partition=0)
    await system.accounted(2, dead=1)
    (letter,) = await system.records("noti.invalid", 1)
    assert DeadLetter.model_validate_json(letter.value).code == "too-large"
    assert {(event.data or {})["n"] for event in map(_event, await system.records("service.event", 2))} == {1, 2}


async def _limit(admin: AIOKafkaAdminClient, topic: str) -> str:
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return next(str(entry[1]) for entry in answer.resources[0][4] if entry[0] == "max.message.bytes")


def _event(record: ConsumerRecord) -> AcceptedEvent:
    return AcceptedEvent.model_validate_json(record.value)
