"""The router as a process: consumption by Faust, acknowledgement, health, start and stop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from devstack.layout import Layout, Neighbours
from devstack.ports import free_port
from devstack.services import Services
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent
from tests.integration.router.system import System
from tests.unit.router.events import accepted

pytestmark = pytest.mark.covers("F0-4", "F2-7")

StartRouters = Callable[..., Services]


@pytest.fixture
def start_routers(start_services: Callable[[Layout], Services]) -> StartRouters:
    """Call it to get router processes."""

    def start(count: int = 1, **environment: str) -> Services:
        return start_services(Layout(counts={"router": count}, environment=environment))

    return start


def to(*users: str) -> AcceptedEvent:
    return accepted(name="shop.order.updated", recipients=Recipients(user_ids=users))


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


async def committed(system: System) -> dict[tuple[str, int], int]:
    """The offsets of the consumer group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=system.bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(system.prefix + "router")
        return {(tp.topic, tp.partition): found.offset for tp, found in offsets.items()}
    finally:
        await admin.close()


async def test_from_kafka_to_the_log_and_the_gateway(system: System, start_routers: StartRouters) -> None:
    await system.listen(2, "user:ada", "agent:a")
    services = await asyncio.to_thread(start_routers)
    service_event = to("ada")
    agent_event = accepted(
        "agent.event", name="thinking", title="t", message="m", metadata={"orgId": "o", "userId": "u", "agentId": "a"}
    )
    await system.publish(service_event, agent_event, partition=3)
    await system.rows(3, "select from room_log")

    async def sent() -> bool:
        return {emission.id for emission in await system.emissions()} == {service_event.id, agent_event.id}

    await system.until(sent)
    url = services.url("router")
    assert get(f"{url}/healthz")[0] == get(f"{url}/readyz")[0] == 200
    metrics = get(f"{url}/metrics")[1].decode()
    assert 'carillon_router_events_total{event="service.event",fate="accepted"} 1.0' in metrics
    assert 'carillon_router_partitions{lane="fast"} 32.0' in metrics


async def test_what_was_dealt_with_is_committed_and_a_stop_is_clean(
    system: System, start_routers: StartRouters
) -> None:
    services = await asyncio.to_thread(start_routers)
    await system.publish(*[to("ada") for _ in range(50)])
    await system.rows(50, "select from notifications")
    assert await asyncio.to_thread(services["router-1"].stop) == 0
    assert (await committed(system))[system.prefix + "service.event", 0] == 50
    await system.publish(*[to("ada") for _ in range(10)])
    await asyncio.to_thread(services["router-1"].start)
    await system.rows(60, "select from notifications")
    assert await system.counted() == {"accepted": 60, "duplicates": 0, "dead": 0, "gaps": 0}


async def test_two_routers_and_a_crash(system: System, start_routers: StartRouters) -> None:
    """SIGKILL in the middle of a stream; the partitions go to the other, and every event is there once, in order."""
    services = await asyncio.to_thread(start_routers, 2)
    expected: list[AcceptedEvent] = []
    for round_ in range(12):
        events = [to("ada") for _ in range(40)]
        expected += events
        await system.publish(*events)
        await system.publish(*[to(f"u{n}") for n in range(20)], partition=round_ % 8)
        if round_ == 3:
            services["router-1"].kill()
        if round_ == 6:
            await asyncio.to_thread(services["router-1"].start)
        if round_ == 8:
            await asyncio.to_thread(services["router-2"].stop)
    await system.rows(480 + 240, "select from notifications")
    assert await system.log("user:ada") == [event.id for event in expected]
    await system.adds_up()


async def test_a_router_that_was_frozen_wakes_up(system: System, start_routers: StartRouters) -> None:
    """For longer than its session: the other has its partitions, and both have the same events in hand."""
    services = await asyncio.to_thread(start_routers, 2)
    expected: list[AcceptedEvent] = []

    async def publish() -> None:
        events = [to("ada") for _ in range(60)]
        expected.extend(events)
        await system.publish(*events)

    for name in ("router-1", "router-2"):
        process = psutil.Process(services[name].pid)
        await publish()
        process.suspend()
        await publish()
        await system.rows(len(expected), "select from notifications")
        process.resume()
        await publish()
    await system.rows(len(expected), "select from notifications")
    assert await system.log("user:ada") == [event.id for event in expected]
    await system.adds_up()


async def test_a_larger_stream_than_the_buffers(system: System, start_routers: StartRouters) -> None:
    """Far more than may wait in memory, with bounds so small that the consumer has to wait all the time."""
    services = await asyncio.to_thread(
        start_routers,
        CARILLON_ROUTER_BUFFER_RECORDS="40",
        CARILLON_ROUTER_BUFFER_BYTES="20000",
        CARILLON_ROUTER_BATCH_RECORDS="16",
    )
    events = [to(f"u{n % 5}") for n in range(1_500)]
    for partition in range(3):
        await system.publish(*events[partition * 500 : (partition + 1) * 500], partition=partition)
    await system.rows(1_500, "select from notifications")
    assert services["router-1"].running
    await system.adds_up()


async def test_a_rebalance_while_the_consumer_waits_for_room(system: System, start_routers: StartRouters) -> None:
    small = {"CARILLON_ROUTER_BUFFER_RECORDS": "20", "CARILLON_ROUTER_BATCH_RECORDS": "5"}
    services = await asyncio.to_thread(lambda: start_routers(2, **small))
    for _ in range(4):
        for partition in range(8):
            await system.publish(*[to(f"u{partition}") for _ in range(40)], partition=partition)
        await asyncio.to_thread(services["router-2"].restart)
    await system.rows(4 * 8 * 40, "select from notifications")
    await system.adds_up()


@pytest.mark.parametrize(("forwards", "named"), [("billing", "FORWARD_TOPICS"), ("billing=nowhere", "nowhere")])
def test_settings_that_cannot_be_served_with_end_the_process(
    system: System, neighbours: Neighbours, forwards: str, named: str
) -> None:
    told = neighbours.environment() | {"CARILLON_FORWARD_TOPICS": forwards, "CARILLON_HTTP_PORT": str(free_port())}
    command = [sys.executable, "-m", "services.router"]
    ended = subprocess.run(command, env=told, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert named in ended.stderr
