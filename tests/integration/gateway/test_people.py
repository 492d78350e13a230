"""Devices, topics and answers over HTTP (S17, B2), and what the sockets of the same person are told of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from libs.runtime.clock import iso, utc_now
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.http import bearer, numbers
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("S17", "S12", "B2", "B12", "F2-1", "F2-2")

V1 = "/api/v1/notifications"
DEVICES = "/api/v1/devices"
TOPICS = "/api/v1/subscriptions"


def raw(size: int) -> str:
    return base64.urlsafe_b64encode(b"\x04" * size).decode().rstrip("=")


SUBSCRIPTION: dict[str, Any] = {
    "endpoint": "https://push.example.com/send/abc",
    "keys": {"p256dh": raw(65), "auth": raw(16)},
}


@pytest.fixture
async def http(gateways: Gateways) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateways.url) as one:
        yield one


async def test_a_device_is_registered_renewed_and_forgotten(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    mine = bearer(f"u{name}")
    subscription = SUBSCRIPTION | {"endpoint": f"https://push.example.com/{name}"}
    given = {"platform": "web", "subscription": subscription}
    first = await http.post(DEVICES, headers=mine, json=given)
    assert first.status_code == 201
    assert first.json() == (await http.get(DEVICES, headers=mine)).json()["items"][0]
    again = await http.post(DEVICES, headers=mine, json=given)
    assert again.json()["id"] == first.json()["id"]
    row = "select token || keys::text from devices where user_id = $1"
    stored = await scribe.value(row, f"u{name}")
    assert stored.startswith(subscription["endpoint"])
    assert "p256dh" in stored
    await http.post(DEVICES, headers=mine, json={"id": "phone", "platform": "apns", "token": "ab" * 32})
    assert len((await http.get(DEVICES, headers=mine)).json()["items"]) == 2
    assert (await http.delete(f"{DEVICES}/phone", headers=mine)).status_code == 204
    assert (await http.delete(f"{DEVICES}/phone", headers=mine)).status_code == 404


async def test_a_browser_belongs_to_who_signed_in_last(http: httpx.AsyncClient, name: str) -> None:
    one, other, elsewhere = bearer(f"u{name}"), bearer(f"v{name}"), bearer(f"u{name}", tenantId="other")
    given = {"platform": "web", "subscription": SUBSCRIPTION | {"endpoint": f"https://push.example.com/{name}"}}
    for headers in (one, elsewhere, other):
        assert (await http.post(DEVICES, headers=headers, json=given)).status_code in (201, 401)
    assert (await http.get(DEVICES, headers=one)).json()["items"] == []
    assert len((await http.get(DEVICES, headers=other)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"platform": "pager", "token": "x"}, "platform"),
        ({"platform": "fcm", "token": "short"}, "token"),
        ({"platform": "apns", "token": "no hex"}, "token"),
        ({"platform": "apns", "token": "zz" * 32}, "token"),
        ({"platform": "web", "subscription": SUBSCRIPTION | {"endpoint": "http://push.example.com/a"}}, "token"),
        ({"platform": "web", "subscription": SUBSCRIPTION | {"endpoint": "https://localhost/a"}}, "token"),
        ({"platform": "web", "subscription": SUBSCRIPTION | {"keys": {"auth": raw(16)}}}, "keys.p256dh"),
        ({"platform": "web", "subscription": SUBSCRIPTION | {"keys": {"p256dh": raw(65), "auth": "x"}}}, "keys.auth"),
    ],
)
async def test_a_wrong_device_names_its_field(http: httpx.AsyncClient, given: dict[str, Any], field: str) -> None:
    answer = await http.post(DEVICES, headers=bearer("u"), json=given)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_topic_is_heard_from_subscribing_to_unsubscribing(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    mine, room = bearer(f"u{name}"), f"topic:t{name}"
    async with client(gateways.other, token(f"u{name}")) as one:
        await scribe.publish(room, data={"n": 0})
        assert (await http.post(TOPICS, headers=mine, json={"topic": f"t{name}"})).status_code == 201
        assert [item["topic"] for item in (await http.get(TOPICS, headers=mine)).json()["items"]] == [f"t{name}"]
        await scribe.write(room, data={"n": 1})
        await one.shows(1)
        assert (await http.delete(f"{TOPICS}/t{name}", headers=mine)).status_code == 204
        await scribe.write(room, data={"n": 2})
        await scribe.publish(f"user:u{name}", data={"n": 3})
        await one.shows(1, 3)
    assert numbers(await http.get(V1, headers=mine)) == [3, 1]
    assert (await http.delete(f"{TOPICS}/t{name}", headers=mine)).status_code == 404
    assert (await http.post(TOPICS, headers=mine, json={"topic": "with blank"})).status_code == 422


async def test_an_answer_counts_once_and_reaches_the_agent(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    async with _agent_events(gateways) as events:
        asked = await _question(scribe, name, f"user:u{name}", f"org:o{name}")
        path = f"{V1}/{asked.id}/responses"
        mine, colleague = bearer(f"u{name}", orgId=f"o{name}"), bearer(f"c{name}", orgId=f"o{name}")
        await http.get(V1, headers=colleague)
        wrong = await http.post(path, headers=mine, json={"value": "Basic"})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "value")
        assert (await http.get(path, headers=mine)).json() == {"items": []}
        first = await http.post(path, headers=mine, json={"value": "JWT"})
        again = await http.post(path, headers=mine, json={"value": "JWT"})
        assert (first.status_code, again.status_code) == (201, 200)
        other = await http.post(path, headers=mine, json={"value": "OAuth2"})
        assert (other.status_code, other.json()["code"]) == (409, "already-answered")
        assert other.json()["answer"]["value"] == "JWT"
        assert (await http.get(f"{V1}/{asked.id}", headers=mine)).json()["read"] is True
        assert (await http.get(path, headers=mine)).json()["items"] == [first.json()]
        told = await events()
        assert told["recipients"]["agentIds"] == [f"a{name}"]
        assert told["data"] == {"inResponseTo": str(asked.id), "value": "JWT", "answeredBy": f"u{name}"}
        assert told["metadata"]["correlationId"] == f"exec-{name}"
    audit = "select action || ' ' || actor from audit_trail where subject = $1"
    assert await scribe.value(audit, str(asked.id)) == f"question.answered user:u{name}"
    lifecycle = "select state from lifecycle_changes where notification = $1 and state = 'answered'"
    assert await scribe.value(lifecycle, asked.id) == "answered"
    assert await scribe.value("select event from responses where notification = $1", asked.id) is None


async def test_what_asks_nothing_is_not_answered(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    mine = bearer(f"u{name}")
    plain = await scribe.write(f"user:u{name}")
    answer = await http.post(f"{V1}/{plain.id}/responses", headers=mine, json={"value": "yes"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-a-question")
    asked = await _question(scribe, name, f"user:v{name}")
    stranger = await http.post(f"{V1}/{asked.id}/responses", headers=mine, json={"value": "JWT"})
    assert stranger.status_code == 404


async def test_an_answer_that_kafka_did_not_get_is_sent_later(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    async with _agent_events(gateways) as events:
        asked = await _question(scribe, name, f"user:u{name}")
        await http.post(f"{V1}/{asked.id}/responses", headers=bearer(f"u{name}"), json={"value": "JWT"})
        told = await events()
        put_back = "update responses set event = $2, at = at - interval '1 minute' where notification = $1"
        await scribe.pool.execute(put_back, asked.id, orjson.dumps(told).decode())
        assert (await events())["id"] == told["id"]


async def test_a_mute_reaches_sockets_that_are_connected(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    mine, room = bearer(f"u{name}"), f"user:u{name}"
    async with client(gateways.other, token(f"u{name}")) as one:

        async def version() -> bool:
            return bool(await scribe.value("select count(*) from membership_versions where user_id = $1", f"u{name}"))

        await http.patch("/api/v1/preferences", headers=mine, json={"mutedTypes": ["a.b"]})
        await eventually(version, "the new version")
        await asyncio.sleep(1.2)  # a comparison of versions, if the record went astray
        await scribe.publish(room, type="a.b", data={"n": 1})
        await scribe.publish(room, type="c.d", data={"n": 2})
        await one.shows(2)
        await http.patch("/api/v1/preferences", headers=mine, json={"mutedTypes": []})
        await asyncio.sleep(1.2)
        await scribe.publish(room, type="a.b", data={"n": 3})
        await one.shows(2, 3)
    async with client(gateways.url, token(f"u{name}"), position={}) as late:
        await scribe.publish(room, type="c.d", data={"n": 4})
        await late.until(lambda: late.shown()[-1:] == [4])
        assert 1 not in late.shown()


async def test_what_was_snoozed_comes_back_on_sockets(
    gateways: Gateways, http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    mine = bearer(f"u{name}")
    record = await scribe.write(f"user:u{name}", data={"n": 1})
    async with client(gateways.other, token(f"u{name}")) as one:
        now = iso(utc_now())
        wanted = await http.post(f"{V1}/{record.id}/snooze", headers=mine, json={"minutes": 1})
        assert (await one.event("notification.snoozed"))["snoozedUntil"] == wanted.json()["snoozedUntil"] > now
        assert numbers(await http.get(V1, headers=mine)) == []
        due = "update receipts set snoozed_until = now() - interval '1 s' where notification = $1"
        await scribe.pool.execute(due, record.id)
        assert (await one.event("notification.unsnoozed"))["notificationId"] == str(record.id)
    listed = (await http.get(V1, headers=mine)).json()["items"]
    assert [(item["id"], item["read"]) for item in listed] == [(str(record.id), False)]


async def _question(scribe: Scribe, name: str, *rooms: str) -> Any:
    metadata = {"timestamp": iso(utc_now()), "orgId": "o", "userId": "u", "agentId": f"a{name}"}
    data = {"question": "Which?", "options": ["JWT", "OAuth2", "Hybrid"]}
    given: dict[str, Any] = {"event": "agent.event", "name": "request_help", "type": "agent.request_help", "data": data}
    return await scribe.write(*rooms, metadata=metadata | {"correlationId": f"exec-{name}"}, **given)


@contextlib.asynccontextmanager
async def _agent_events(gateways: Gateways) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """Each call returns the next record that is written to the typed topic from now on."""
    neighbours = gateways.services.neighbours
    topic = neighbours.topic_prefix + "agent.event"
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=neighbours.kafka_bootstrap)
    await consumer.start()
    await consumer.seek_to_end()
    for partition in consumer.assignment():
        await consumer.position(partition)

    async def following() -> Any:
        return orjson.loads((await asyncio.wait_for(consumer.getone(), 20)).value)

    yield following
    await consumer.stop()
