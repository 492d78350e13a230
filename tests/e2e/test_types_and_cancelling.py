"""Through all processes: a tenant's own event from `noti` to a socket, and notifications that are cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from devstack.layout import Layout, counts
from devstack.services import Services
from libs.runtime.clock import iso, utc_now
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.http import bearer

V1 = "/api/v1/notifications"
Start = Callable[[Layout], Services]
LATE = {
    "match": {"event": "service.event", "name": "order.late"},
    "category": "kitchen",
    "name": "Order late",
    "channels": ["in-app"],
    "templates": {"default": {"default": {"title": "Table {{ table }} waits", "message": "{{ minutes }} minutes"}}},
    "wireNames": {"/ws/notifications": "order-late"},
}


@asynccontextmanager
async def running(start: Start, *, deliveries: int = 0) -> AsyncIterator[tuple[Services, httpx.AsyncClient]]:
    """One process of each service, and an administrator at the gateway."""
    services = start(Layout(counts=counts(ingests=1, routers=1, gateways=1, deliveries=deliveries)))
    admin = bearer("boss", role="admin")
    async with httpx.AsyncClient(base_url=services.url("gateway"), headers=admin, timeout=20) as http:
        yield services, http


@pytest.mark.covers("F4-5", "S4", "S5", "F4-2")
async def test_an_event_of_the_tenants_own_is_heard_by_its_own_name(start_services: Start) -> None:
    async with running(start_services) as (services, http):
        made = await http.put("/api/v1/catalogue/types/order.late", json=LATE)
        assert made.status_code in (200, 201), made.text
        url, ana = services.url("gateway"), token("ana")
        async with (
            client(url, ana, namespace="/ws/notifications") as market,
            client(url, ana, namespace="/events") as team,
            client(url, ana, namespace="/notifications") as inside,
            client(url, ana) as root,
        ):

            async def heard() -> bool:  # a gateway hears of a new type within seconds
                await _late(services)
                return bool(market.of("order-late"))

            await eventually(heard, "the event under the tenant's name")
            await team.event("notification:new")
            await inside.event("notification:new")
            payload = await root.event("service.event")
            assert payload["name"] == "order.late"
            assert "Table 7 waits" in orjson.dumps(market.of("order-late")).decode()
            assert not root.of("order-late")


async def _late(services: Services) -> None:
    metadata = {"timestamp": iso(utc_now())}
    data = {"name": "order.late", "data": {"table": 7, "minutes": 20}, "recipients": {"userIds": ["ana"]}}
    event = {"event": "service.event", "data": data | {"metadata": metadata}}
    producer = AIOKafkaProducer(bootstrap_servers=services.neighbours.kafka_bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(services.neighbours.topic_prefix + "noti", orjson.dumps(event))
    finally:
        await producer.stop()


@pytest.mark.covers("B1", "F2-8", "B4")
async def test_what_is_cancelled_is_neither_sent_nor_shown(start_services: Start) -> None:
    async with running(start_services) as (services, http):
        ada = bearer("ada")
        person = {"email": "ada@example.org"}
        assert (await http.put("/api/v1/directory/users/ada", json=person)).status_code in (200, 201)

        async def send(title: str, **fields: Any) -> str:
            body = {"title": title, "message": "m", "recipients": {"userIds": ["ada"]}} | fields
            answer = await http.post(V1, json=body)
            assert answer.status_code == 202, answer.text
            return str(answer.json()["id"])

        async def channels(id_: str) -> dict[tuple[str, str], int]:
            answer = await http.post(f"{V1}/{id_}/cancel")
            assert answer.json()["status"] == "cancelled", answer.text
            return {(one["channel"], one["state"]): one["count"] for one in answer.json()["channels"]}

        async def titles() -> list[str]:
            return [item["title"] for item in (await http.get(V1, headers=ada)).json()["items"]]

        async def listed(title: str) -> bool:
            return title in await titles()

        both = {"channels": ["in-app", "email"]}
        async with client(services.url("gateway"), token("ada")) as socket:
            planned = await send("planned", **both)
            await eventually(lambda: listed("planned"), "the notification")
            assert await channels(planned) == {("email", "cancelled"): 1, ("in-app", "cancelled"): 1}
            await socket.until(lambda: any(planned in orjson.dumps(one).decode() for one in socket.told[1:]))

            scheduled = await send("scheduled", deliverAt=iso(utc_now() + timedelta(hours=1)), **both)
            stands = eventually(lambda: _state(http, scheduled), "the request to be carried out")
            assert await stands == {("scheduled", "cancelled"): 1}

            digest = {"channels": {"email": {"frequency": "daily"}}}
            assert (await http.put("/api/v1/preferences", headers=ada, json=digest)).status_code == 200
            gathered = await send("gathered", **both)
            await eventually(lambda: listed("gathered"), "the notification")
            assert await channels(gathered) == {("email", "cancelled"): 1, ("in-app", "cancelled"): 1}
            assert await titles() == []


async def _state(http: httpx.AsyncClient, id_: str) -> dict[tuple[str, str], int] | None:
    answer = (await http.post(f"{V1}/{id_}/cancel")).json()
    found = {(one["channel"], one["state"]): one["count"] for one in answer["channels"]}
    return found if answer["status"] == "cancelled" else None
