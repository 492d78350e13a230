"""A tenant that publishes over its share goes by the bulk lane, and its events keep their order there and back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from devstack.layout import Layout, counts
from devstack.services import Services
from libs.runtime.clock import iso, utc_now
from tests.integration.gateway.clients import eventually, token

pytestmark = pytest.mark.covers("B10")

PEOPLE = 10
SHARE = {"CARILLON_TENANT_RATE": "20", "CARILLON_TENANT_BURST": "40"}
LOUD, QUIET = "loud", "quiet"


class Road:
    """Two ingests and two routers, and what they wrote."""

    def __init__(self, services: Services, sql: asyncpg.Connection, kafka: AIOKafkaProducer) -> None:
        self.services, self._sql, self._kafka = services, sql, kafka
        self.published: dict[str, list[int]] = defaultdict(list)
        self._number = 0

    async def publish(self, tenant: str, count: int, rate: float) -> None:
        """Events for the tenant's people in turn, each under its person's key, by the topic and over HTTP in turn."""
        began = time.monotonic()
        async with httpx.AsyncClient(timeout=20) as http:
            for n in range(count):
                await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
                user = f"{tenant}-{n % PEOPLE}"
                if user.endswith("0"):
                    await self._by_http(http, tenant, user)
                else:
                    value = orjson.dumps(self._event(tenant, user))
                    await self._kafka.send_and_wait(self._topic, value, key=user.encode())

    async def _by_http(self, http: httpx.AsyncClient, tenant: str, user: str) -> None:
        """The next one goes to another process; one that was not answered is sent again under its key."""
        event = self._event(tenant, user)
        headers = {
            "Authorization": f"Bearer {token('admin', tenantId=tenant, roles=['ADMIN'])}",
            "Idempotency-Key": f"{tenant}-{self._number}",
        }
        for attempt in range(100):
            url = self.services.url("ingest", (self._number + attempt) % 2)
            with contextlib.suppress(httpx.TransportError):
                answer = await http.post(f"{url}/api/v1/events", json=event, headers=headers)
                if answer.status_code == 202:
                    return
                assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)
        raise AssertionError("nobody takes the event")

    async def written(self) -> dict[str, list[int]]:
        """The numbers in each person's log, in its order."""
        rows = await self._sql.fetch(
            """select l.room, (n.data ->> 'n')::int as number from room_log l
               join notifications n on n.tenant = l.tenant and n.id = l.notification order by l.room, l.seq"""
        )
        logs: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            logs[row["room"].removeprefix("user:")].append(row["number"])
        return logs

    async def arrived(self) -> bool:
        """Whether everything that was published is written."""
        return sum(map(len, (await self.written()).values())) >= self._number

    async def value(self, query: str, *arguments: Any) -> Any:
        """One value of the database."""
        return await self._sql.fetchval(query, *arguments)

    async def diverted(self) -> int:
        """How many events have come by a bulk lane so far."""
        count: int = await self.value(
            "select coalesce(sum(accepted), 0) from progress where consumer = 'router' and topic like '%.bulk'"
        )
        return count

    @property
    def _topic(self) -> str:
        return self.services.neighbours.topic_prefix + "noti"

    def _event(self, tenant: str, user: str) -> dict[str, Any]:
        self._number += 1
        self.published[user].append(self._number)
        data = {
            "name": "shop.order.updated",
            "metadata": {"timestamp": iso(utc_now()), "tenantId": tenant, "userId": user},
            "data": {"n": self._number},
            "recipients": {"userIds": [user]},
        }
        return {"event": "service.event", "data": data}


@pytest.fixture
async def road(start_services: Callable[[Layout], Services]) -> AsyncIterator[Road]:
    layout = Layout(counts=counts(ingests=2, routers=2, gateways=0, deliveries=0), environment=SHARE)
    services = await asyncio.to_thread(start_services, layout)
    neighbours = services.neighbours
    sql = await asyncpg.connect(neighbours.postgres_dsn)
    await sql.execute("insert into tenants (tenant) values ($1), ($2)", LOUD, QUIET)
    async with AIOKafkaProducer(bootstrap_servers=neighbours.kafka_bootstrap, acks="all") as producer:
        yield Road(services, sql, producer)
    await sql.close()


async def test_order_holds_through_both_lanes_while_processes_die_and_the_tenant_comes_back(road: Road) -> None:
    quiet = asyncio.create_task(road.publish(QUIET, 60, 5))
    loud = asyncio.create_task(road.publish(LOUD, 600, 120))
    await eventually(road.diverted, "the loud tenant to be diverted", 30)
    for victim in ("ingest-2", "router-1"):
        road.services[victim].kill()
        await asyncio.to_thread(road.services[victim].start)
    await asyncio.gather(quiet, loud)
    await eventually(road.arrived, "everything to be written", 60)
    await eventually(lambda: _calm(road), "the tenant to come back", 40)
    diverted = await road.diverted()
    await road.publish(LOUD, 30, 15)
    await eventually(road.arrived, "what came afterwards", 30)
    assert await road.diverted() == diverted
    assert await road.written() == road.published
    assert await road.value("select count(*) from notifications where tenant = $1", QUIET) == 60
    await asyncio.to_thread(_audit, road.services)


async def _calm(road: Road) -> bool:
    return bool(await road.value("select count(*) from diversions") == 0)


def _audit(services: Services) -> None:
    command = [sys.executable, "-m", "cli.main", "audit", "--wait", "30"]
    environment = os.environ | services.neighbours.environment()
    audit = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert audit.returncode == 0, audit.stdout + audit.stderr
