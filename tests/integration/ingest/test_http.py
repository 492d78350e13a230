"""Publishing over HTTP: 202 only for what is in Kafka, and a problem that names the field for the rest."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from libs.http.problems import MEDIA_TYPE
from libs.schemas.events import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from libs.schemas.records import AcceptedEvent
from tests.integration.ingest.system import System, bearer, ingesting
from tests.unit.schemas.examples import METADATA, example

pytestmark = pytest.mark.covers("F0-6", "F2-1", "F2-4", "F2-5", "B1", "S20")

EVENTS, BATCH, DIRECT = "/api/v1/events", "/api/v1/events/batch", "/api/v1/notifications"


async def read(system: System, topic: str, count: int) -> dict[UUID, AcceptedEvent]:
    found = [AcceptedEvent.model_validate_json(record.value) for record in await system.records(topic, count)]
    return {event.id: event for event in found}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE), answer.text
    body: dict[str, Any] = answer.json()
    assert (body["code"], body["status"], body["type"]) == (code, status, f"urn:carillon:problem:{code}")
    return body


async def test_what_is_accepted_is_in_kafka(system: System, http: httpx.AsyncClient) -> None:
    one = await http.post(EVENTS, json=example("service.event"))
    assert one.status_code == 202
    assert one.json() == {"id": one.json()["id"], "status": "accepted"}
    many = await http.post(BATCH, json=[example("service.event"), {"event": "x"}, example("service.event")])
    assert many.status_code == 202
    assert [item["status"] for item in many.json()["results"]] == [202, 422, 202]
    assert many.json()["results"][1]["problem"] == {
        "code": "wrong-event",
        "detail": "the event is not one of system.notification, service.event, service.alert or agent.event",
        "field": "event",
    }
    sent = await http.post("/notifications/send", json={"title": "T", "message": "M", "priority": "HIGH"})
    assert sent.status_code == 202
    found = await read(system, "service.event", 3)
    expected = {one.json()["id"], *(item["id"] for item in many.json()["results"] if "id" in item)}
    assert {str(identifier) for identifier in found} == expected
    assert {event.source.topic for event in found.values()} == {"http"}
    (direct,) = (await read(system, "system.notification", 1)).values()
    assert (str(direct.id), direct.severity, direct.priority) == (sent.json()["id"], "high", "HIGH")


async def test_a_list_of_notifications_has_a_result_for_each(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        DIRECT, json=[{"type": "booking.created", "recipients": {"userIds": ["a"]}}, {"type": "x"}]
    )
    assert (answer.json()["accepted"], answer.json()["refused"]) == (1, 1)
    body = problem(await http.post(DIRECT, json=[{"type": "x"}]), 422, "all-refused")
    assert body["results"][0]["problem"]["field"] == "type"


async def test_an_idempotency_key_stands_for_one_request(system: System, http: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(*(http.post(EVENTS, json=example("service.event"), headers=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    problem(await http.post(EVENTS, json=example("service.alert"), headers=key), 409, "idempotency-key-reused")
    status = await http.get(answers[0].headers["location"])
    assert (status.status_code, status.json()["status"]) == (200, "accepted")
    batch = {"Idempotency-Key": "a list"}
    ids = [(await http.post(BATCH, json=[example("service.event")] * 2, headers=batch)).json() for _ in range(2)]
    assert ids[0] == ids[1]
    assert len({item["id"] for item in ids[0]["results"]}) == 2
    # Each time it is produced again: a crash between the two stores must not lose it.
    assert len(await system.records("service.event", 9)) == 9


async def test_a_key_whose_time_is_over_may_be_used_again(system: System, http: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "old"}
    first = await http.post(EVENTS, json=example("service.event"), headers=key)
    await system.db.execute("update idempotency_keys set expires_at = now() - interval '1 second'")
    again = await http.post(EVENTS, json=example("service.alert"), headers=key)
    assert again.status_code == 202
    assert again.json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("path", "content", "status", "code", "field"),
    [
        (EVENTS, b"{", 400, "not-json", None),
        (EVENTS, b'"\xff"', 400, "not-utf8", None),
        (
            EVENTS,
            orjson.dumps(example("agent.event", metadata=METADATA)),
            422,
            "missing-field",
            "data.metadata.agentId",
        ),
        (EVENTS, orjson.dumps(example("service.event", data={"a": "\0"})), 422, "nul-character", "data.data.a"),
        (EVENTS, b'"' + b"x" * MAX_EVENT_BYTES + b'"', 413, "too-large", None),
        (BATCH, b" " * (MAX_BATCH_BYTES + 1), 413, "too-large", None),
        (BATCH, b"{}", 422, "not-a-list", None),
        (BATCH, b"[]", 422, "too-many", None),
        (BATCH, b"[" + b",".join([b"1"] * (MAX_BATCH_EVENTS + 1)) + b"]", 422, "too-many", None),
        (DIRECT, b'{"message": "M"}', 422, "missing-field", "title"),
    ],
)
async def test_faults_are_named(
    path: str, content: bytes, status: int, code: str, field: str | None, shared_http: httpx.AsyncClient
) -> None:
    body = problem(await shared_http.post(path, content=content), status, code)
    assert [error["field"] for error in body.get("errors", [])] == ([field] if field else [])


async def test_a_body_without_end_is_refused_while_it_comes(shared_http: httpx.AsyncClient) -> None:
    url = shared_http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST {EVENTS} HTTP/1.1\r\nHost: {url.host}\r\nTransfer-Encoding: chunked\r\n"
    writer.write(f"{head}Authorization: {shared_http.headers['authorization']}\r\n\r\n".encode())
    answer = asyncio.ensure_future(reader.readline())
    chunk, sent = b"10000\r\n" + b" " * 65_536 + b"\r\n", 0
    while not answer.done() and sent < 2_000:
        writer.write(chunk)
        sent += 1
        drained = asyncio.ensure_future(writer.drain())
        await asyncio.wait({answer, drained}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    writer.close()
    assert (await answer).startswith(b"HTTP/1.1 413 ")
    assert sent < 2_000


async def test_whoever_sends_too_much_gets_to_see_why(shared_http: httpx.AsyncClient) -> None:
    problem(await shared_http.post(EVENTS, content=b" " * 5_000_000), 413, "too-large")


async def test_an_item_over_the_size_of_an_event_is_refused_alone(shared_http: httpx.AsyncClient) -> None:
    large = example("service.event", data={"x": "y" * (MAX_EVENT_BYTES + 4_096)})
    answer = await shared_http.post(BATCH, json=[example("service.event"), large])
    assert [item["status"] for item in answer.json()["results"]] == [202, 413]


async def test_only_json_is_taken(shared_http: httpx.AsyncClient) -> None:
    answer = await shared_http.post(EVENTS, content=b"{}", headers={"Content-Type": "text/plain"})
    problem(answer, 415, "unsupported-media-type")


async def test_who_may_not_is_turned_away_and_counted(shared_http: httpx.AsyncClient) -> None:
    event = example("service.event")
    before = await _unauthorised(shared_http)
    problem(await shared_http.post(EVENTS, json=event, headers={"Authorization": ""}), 401, "no-credential")
    problem(await shared_http.post(EVENTS, json=event, headers={"Authorization": "Bearer x"}), 401, "invalid-token")
    problem(await shared_http.post(EVENTS, json=event, headers=bearer(roles=[])), 403, "not-an-administrator")
    foreign = example("service.event", metadata=METADATA | {"tenantId": "acme"})
    problem(await shared_http.post(EVENTS, json=foreign), 403, "tenant-not-allowed")
    problem(await shared_http.get(f"{DIRECT}/{uuid4()}/status?tenant=acme"), 403, "tenant-not-allowed")
    assert await _unauthorised(shared_http) == before + 5


async def _unauthorised(http: httpx.AsyncClient) -> float:
    lines = (await http.get("/metrics")).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("carillon_ingest_unauthorised_total{"))


async def test_a_quota_is_told_and_kept(system: System) -> None:
    async with ingesting(system, rate_limit=1.0, rate_burst=10) as http:
        answer = await http.post(BATCH, json=[example("service.event")] * 8)
        assert answer.headers["ratelimit-policy"] == '"events";q=10;w=10'
        assert answer.headers["ratelimit"] == '"events";r=2;t=8'
        limited = await http.post(BATCH, json=[example("service.event")] * 8)
        problem(limited, 429, "rate-limited")
        assert 1 <= int(limited.headers["retry-after"]) <= 6
        other = await http.post(BATCH, json=[example("service.event")] * 8, headers=bearer(sub="another"))
        assert other.status_code == 202


async def test_the_status_follows_a_notification(system: System, http: httpx.AsyncClient) -> None:
    identifier, delivery = uuid4(), uuid4()
    problem(await http.get(f"{DIRECT}/{identifier}/status"), 404, "not-found")
    await system.db.execute(
        """insert into notifications (tenant, id, event, type, severity, metadata, audience, rooms, catalogue_version,
             decisions_planned, source, accepted_at, planned_at)
           values ('default', $1, 'service.event', 'booking.created', 'normal', '{}', '{}', '{user:a}', '1', 2, '{}',
             now(), now())""",
        identifier,
    )
    await system.db.execute(
        "insert into room_log (tenant, room, seq, at, notification) values ('default', 'user:a', 7, now(), $1)",
        identifier,
    )
    await system.db.execute(
        """insert into deliveries (tenant, id, notification, user_id, channel, state, reason)
           values ('default', $2, $1, 'a', 'email', 'planned', 'planned')""",
        identifier,
        delivery,
    )
    found = (await http.get(f"{DIRECT}/{identifier}/status")).json()
    assert (found["status"], found["type"], found["decisions"]) == ("planned", "booking.created", 2)
    assert [(room["room"], room["seq"]) for room in found["rooms"]] == [("user:a", 7)]
    assert found["deliveryCounts"] == [{"channel": "email", "state": "planned", "count": 1}]
    assert (found["deliveries"][0]["id"], found["deliveries"][0]["userId"]) == (str(delivery), "a")
    other = await http.get(f"{DIRECT}/{identifier}/status", headers=bearer(tenantId="acme"))
    problem(other, 404, "not-found")


async def test_the_description_holds_together(shared_http: httpx.AsyncClient) -> None:
    description = (await shared_http.get("/openapi.json")).json()
    assert description["openapi"].startswith("3.1")
    schemas = description["components"]["schemas"]
    references = {part.split('"')[0] for part in orjson.dumps(description).decode().split("#/components/schemas/")[1:]}
    assert references <= schemas.keys()
    paths = description["paths"]
    assert {EVENTS, BATCH, DIRECT, f"{DIRECT}/{{notification}}/status", "/api/v1/directory/bulk"} <= paths.keys()
    body = paths[EVENTS]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/UpstreamEvent"}
    assert "Idempotency-Key" in {parameter["name"] for parameter in paths[BATCH]["post"]["parameters"]}
    operations = [operation for path in paths.values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
