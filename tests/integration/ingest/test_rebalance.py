"""A second process joins and leaves in the middle of a stream: nothing is lost, and nothing is counted twice."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from aiokafka import ConsumerRecord

from libs.schemas.records import AcceptedEvent
from tests.integration.ingest.system import System, ingesting, until
from tests.unit.schemas.examples import example

pytestmark = pytest.mark.covers("B1", "B7")

COUNT = 3_000


async def test_a_rebalance_in_the_middle(system: System) -> None:
    async def stream() -> None:
        for number in range(COUNT):
            await system.producer.send(f"{system.prefix}noti", _event(number))
            if number % 50 == 0:
                await asyncio.sleep(0.01)
        await system.producer.flush()

    async with ingesting(system):
        streaming = asyncio.create_task(stream())
        await until(system.counted, lambda found: found[0] > COUNT // 10)
        async with ingesting(system):
            await until(system.counted, lambda found: found[0] > COUNT // 2)
        await streaming
        await system.accounted(COUNT)
    records = await system.records("service.event", COUNT)
    positions = {(e.source.partition, e.source.offset) for e in map(_read, records)}
    assert len(positions) == COUNT
    assert len({e.id for e in map(_read, records)}) == COUNT


def _event(number: int) -> bytes:
    return orjson.dumps(example("service.event", data={"n": number}))


def _read(record: ConsumerRecord) -> AcceptedEvent:
    return AcceptedEvent.model_validate_json(record.value)
