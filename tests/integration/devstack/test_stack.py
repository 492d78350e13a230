"""The stack as a whole, without services: stores started together, schema and topics there, data kept."""

from __future__ import annotations

from collections.abc import Callable

from aiokafka.admin import AIOKafkaAdminClient

from devstack.layout import Layout
from devstack.stack import Stack
from libs.schemas.topics import NOTI


async def test_a_stack_is_prepared_and_keeps_its_data_over_a_power_cut(start_stack: Callable[[Layout], Stack]) -> None:
    stack = start_stack(Layout(counts={}))
    stack.postgres.address.execute("create table kept as select 7 as number", "carillon")
    stack.kill()
    stack.start()
    assert stack.postgres.address.execute("select number from kept", "carillon") == "7"
    assert NOTI.name in await _topics(stack.kafka.bootstrap)


async def test_topics_of_a_test_are_its_own(kafka_bootstrap: str, topics: str) -> None:
    names = await _topics(kafka_bootstrap)
    assert f"{topics}{NOTI.name}" in names
    assert NOTI.name not in names


async def _topics(bootstrap: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()
