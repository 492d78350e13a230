"""The inbox and preferences over HTTP: lists, filters, aliases, and what is refused (F0-6, F2-2, F2-4, S20)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from libs.runtime.clock import iso, utc_now
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.http import bearer, numbers
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F0-6", "F2-1", "F2-2", "F2-4", "S6", "S12", "S20", "B12")

V1 = "/api/v1/notifications"


@pytest.fixture
async def http(gateways: Gateways) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateways.url) as one:
        yield one


async def test_pages_by_cursor_and_by_offset(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    headers = bearer(f"u{name}", orgId=f"o{name}")
    await http.get(V1, headers=headers)  # the first call opens what the token claims
    for number in range(7):
        await scribe.write(f"user:u{name}" if number % 2 else f"org:o{name}", data={"n": number})
    first = await http.get(V1, headers=headers, params={"limit": 3})
    assert numbers(first) == [6, 5, 4]
    await scribe.write(f"user:u{name}", data={"n": 99})  # what comes meanwhile moves no page
    second = await http.get(V1, headers=headers, params={"limit": 3, "cursor": first.json()["nextCursor"]})
    assert numbers(second) == [3, 2, 1]
    third = await http.get(V1, headers=headers, params={"limit": 3, "cursor": second.json()["nextCursor"]})
    assert numbers(third) == [0]
    assert third.json()["nextCursor"] is None
    assert numbers(await http.get(V1, headers=headers, params={"limit": 3, "offset": 6})) == [1, 0]


async def test_filters(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    room, headers = f"user:u{name}", bearer(f"u{name}")
    now = utc_now()
    stamp = {"timestamp": iso(now)}
    await scribe.write(room, data={"n": 0}, message="Planned maintenance")
    await scribe.write(room, data={"n": 1}, event="service.event", name="a.b.c", type="a.b", tags=("x", "y"))
    await scribe.write(room, data={"n": 2}, event="service.alert", severity="high", metadata=stamp | {"orgId": "o"})
    metadata = stamp | {"orgId": "o", "userId": "u", "agentId": "bot"}
    await scribe.write(room, data={"n": 3}, event="agent.event", name="thinking", metadata=metadata)
    between = utc_now()
    latest = await scribe.write(room, data={"n": 4})
    (await http.patch(f"{V1}/{latest.id}/read", headers=headers)).raise_for_status()
    for query, wanted in (
        ({"event": "service.event"}, [1]),
        ({"name": "thinking"}, [3]),
        ({"type": "a.b"}, [1]),
        ({"severity": "high"}, [2]),
        ({"tag": "y"}, [1]),
        ({"org": "o"}, [3, 2]),
        ({"agent": "bot"}, [3]),
        ({"unread": "true"}, [3, 2, 1, 0]),
        ({"unread": "false"}, [4]),
        ({"from": between.isoformat()}, [4]),
        ({"to": between.isoformat()}, [3, 2, 1, 0]),
        ({"from": iso(now - timedelta(hours=1)), "to": iso(now - timedelta(minutes=1))}, []),
        ({"event": "system.notification", "unread": "true"}, [0]),
        ({"category": "alert"}, []),
        ({"q": "mAINTENANCE"}, [0]),
        ({"q": "100%"}, []),
        ({"archived": "true"}, []),
    ):
        assert numbers(await http.get(V1, headers=headers, params=query)) == wanted, query


async def test_both_names_of_the_same_handlers(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    headers = bearer(f"u{name}")
    record = await scribe.write(f"user:u{name}", data={"n": 1})
    for method, prefix in (("PATCH", "/api/notifications"), ("PUT", "/api/v1/notifications")):
        assert (await http.get(f"{prefix}/unread-count", headers=headers)).json() == {"count": 1}
        read = await http.request(method, f"{prefix}/{record.id}/read", headers=headers)
        again = await http.request(method, f"{prefix}/{record.id}/read", headers=headers)
        assert read.json() == again.json()
        assert (await http.get(f"{prefix}/unread-count", headers=headers)).json() == {"count": 0}
        await http.request(method, f"{prefix}/{record.id}/unread", headers=headers)
    document = (await http.get(f"/api/notifications/{record.id}", headers=headers)).json()
    assert document["_id"] == str(record.id)
    assert document["readByUserIds"] == []
    assert document["deliveryStatus"] == "pending"
    canonical = (await http.get(f"{V1}/{record.id}", headers=headers)).json()
    assert canonical["id"] == str(record.id)
    assert canonical["read"] is False
    assert (await http.delete(f"/api/notifications/{record.id}", headers=headers)).status_code == 204
    assert (await http.get(f"{V1}/{record.id}", headers=headers)).status_code == 404
    assert (await http.delete(f"{V1}/{record.id}", headers=headers)).status_code == 404
    assert numbers(await http.get(V1, headers=headers)) == []


async def test_all_that_was_seen_is_read_and_no_more(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    headers, own = bearer(f"u{name}"), f"user:u{name}"
    records = [await scribe.write(own, data={"n": number}) for number in range(4)]
    seen = {own: [records[1].rooms[0].epoch, records[1].rooms[0].seq]}
    some = await http.post(f"{V1}/read-all", headers=headers, json={"positions": seen})
    assert some.json()["markedCount"] == 2
    assert numbers(await http.get(V1, headers=headers, params={"unread": "true"})) == [3, 2]
    rest = await http.post("/api/notifications/read-all", headers=headers)
    assert rest.json()["markedCount"] == 2
    nothing = await http.post(f"{V1}/read-all", headers=headers)
    assert nothing.json() == {"markedCount": 0, "readAt": None, "positions": {}}


async def test_marking_all_read_is_told_of_each(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    mine = bearer(f"u{name}")
    seen = [await scribe.write(f"user:u{name}") for _ in range(3)]
    before = await scribe.write(f"user:u{name}")
    await http.post(f"{V1}/{before.id}/read", headers=mine)
    await http.post(f"{V1}/{seen[0].id}/read", headers=mine)
    await http.post(f"{V1}/{seen[0].id}/unread", headers=mine)
    told = "select array_agg(notification order by seq) from lifecycle_changes where user_id = $1 and state = 'read'"
    early = await scribe.value(told, f"u{name}")
    assert (await http.post(f"{V1}/read-all", headers=mine)).status_code == 200
    await http.post(f"{V1}/read-all", headers=mine)  # nothing is left to be told of
    later = await scribe.value(told, f"u{name}")
    assert early == [before.id, seen[0].id]
    assert sorted(later[2:]) == sorted(n.id for n in seen)


async def test_another_tenant_and_another_person_see_nothing(
    http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    record = await scribe.write(f"user:u{name}", f"org:o{name}", tenant=f"t{name}", data={"n": 1})
    for headers in (
        bearer(f"u{name}", orgId=f"o{name}"),
        bearer(f"v{name}", tenantId=f"t{name}"),
        bearer(agentId=f"u{name}", tenantId=f"t{name}"),
    ):
        assert numbers(await http.get(V1, headers=headers)) == []
        assert (await http.get(f"{V1}/unread-count", headers=headers)).json() == {"count": 0}
        for method, path in (("GET", ""), ("PATCH", "/read"), ("DELETE", "")):
            answer = await http.request(method, f"{V1}/{record.id}{path}", headers=headers)
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
    owner = bearer(f"u{name}", tenantId=f"t{name}")
    assert numbers(await http.get(V1, headers=owner)) == [1]


async def test_what_one_person_does_is_theirs_alone(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    one, other = bearer(f"u{name}", orgId=f"o{name}"), bearer(f"v{name}", orgId=f"o{name}")
    for headers in (one, other):
        await http.get(V1, headers=headers)
    record = await scribe.write(f"org:o{name}", data={"n": 1})
    await http.delete(f"{V1}/{record.id}", headers=one)
    assert numbers(await http.get(V1, headers=one)) == []
    assert numbers(await http.get(V1, headers=other)) == [1]
    assert (await http.get(f"{V1}/unread-count", headers=other)).json() == {"count": 1}


async def test_preferences_name_the_version_that_they_change(http: httpx.AsyncClient, name: str) -> None:
    path, mine = "/api/v1/preferences", bearer(f"u{name}")
    first = await http.put(path, headers=mine, json={"channels": {"sms": False}, "mutedTypes": ["a"]})
    assert first.headers["etag"] == '"1"'
    same = await http.get(path, headers=mine | {"If-None-Match": '"1"'})
    assert (same.status_code, same.content) == (304, b"")
    patch = {"channels": {"sms": None, "email": False}}
    second = await http.patch(path, headers=mine | {"If-Match": '"1"'}, json=patch)
    assert second.json()["channels"] == {"email": False}
    assert second.json()["mutedTypes"] == ["a"]
    late = await http.patch(path, headers=mine | {"If-Match": '"1"'}, json=patch)
    assert (late.status_code, late.json()["code"]) == (412, "version-conflict")
    wrong = await http.patch(path, headers=mine, json={"quietHours": {"windows": [{"start": "25:00", "end": "07:00"}]}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-request")
    assert (await http.get(f"{V1}/preferences", headers=mine)).json()["version"] == 2  # the path of 002


async def test_preferences_in_the_names_of_a_row_of_switches(http: httpx.AsyncClient, name: str) -> None:
    path, mine = "/api/v1/preferences", bearer(f"u{name}")
    wanted = {"enableEmail": False, "preferences": {"BOOKING_CREATED": False}, "quietHoursStart": "22:00"}
    flat = await http.put(f"{path}/flat", headers=mine, json=wanted | {"quietHoursEnd": "07:00"})
    assert flat.json()["preferences"] == {"booking.created": False}
    assert flat.json()["enableEmail"] is False
    whole = (await http.get(path, headers=mine)).json()
    assert whole["mutedTypes"] == ["booking.created"]
    assert whole["quietHours"]["windows"] == [{"start": "22:00", "end": "07:00"}]


async def test_a_muted_type_is_hidden_for_the_time_of_the_mute(
    http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    mine, room = bearer(f"u{name}"), f"user:u{name}"
    for number, muted in enumerate(([], ["a.b"], [])):
        await http.patch("/api/v1/preferences", headers=mine, json={"mutedTypes": muted})
        await scribe.write(room, type="a.b", data={"n": number})
    assert numbers(await http.get(V1, headers=mine)) == [2, 0]
    assert (await http.get(f"{V1}/unread-count", headers=mine)).json() == {"count": 2}


async def test_what_is_archived_snoozed_and_cleared(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    mine, room = bearer(f"u{name}"), f"user:u{name}"
    records = [await scribe.write(room, data={"n": number}) for number in range(4)]
    assert (await http.post(f"{V1}/{records[0].id}/archive", headers=mine)).json()["archivedAt"] is not None
    snoozed = await http.post(f"{V1}/{records[1].id}/snooze", headers=mine, json={"minutes": 5})
    assert snoozed.json()["snoozedUntil"] is not None
    assert numbers(await http.get(V1, headers=mine)) == [3, 2]
    assert numbers(await http.get(V1, headers=mine, params={"archived": "true"})) == [0]
    assert numbers(await http.get(V1, headers=mine, params={"snoozed": "true"})) == [1]
    assert (await http.get(f"{V1}/unread-count", headers=mine)).json() == {"count": 2}
    for number, verb in ((0, "unarchive"), (1, "unsnooze")):
        await http.put(f"{V1}/{records[number].id}/{verb}", headers=mine)
    assert numbers(await http.get(V1, headers=mine)) == [3, 2, 1, 0]
    for wrong in ({}, {"until": "2020-01-01T00:00:00Z"}, {"minutes": 0}):
        answer = await http.post(f"{V1}/{records[1].id}/snooze", headers=mine, json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    place = records[1].rooms[0]
    await http.post(f"{V1}/clear", headers=mine, json={"positions": {place.room: place.seq}})
    assert numbers(await http.get(V1, headers=mine)) == [3, 2]
    await http.delete(V1, headers=mine)
    assert numbers(await http.get(V1, headers=mine)) == []
    await scribe.write(room, data={"n": 9})
    assert numbers(await http.get(V1, headers=mine)) == [9]


async def test_what_was_withdrawn_or_is_over_is_hidden(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    mine, room = bearer(f"u{name}"), f"user:u{name}"
    withdrawn = await scribe.write(room, data={"n": 1})
    await scribe.write(room, data={"n": 2}, expires_at=utc_now() - timedelta(seconds=1))
    later = await scribe.write(room, data={"n": 3}, expires_at=utc_now() + timedelta(hours=1))
    await scribe.withdraw(withdrawn)
    assert numbers(await http.get(V1, headers=mine)) == [3]
    assert (await http.get(f"{V1}/unread-count", headers=mine)).json() == {"count": 1}
    assert (await http.get(f"{V1}/{withdrawn.id}", headers=mine)).status_code == 404
    assert (await http.get(f"{V1}/{later.id}", headers=mine)).json()["expiresAt"] is not None


async def test_the_badge_goes_when_all_was_seen_and_unread_stays(
    http: httpx.AsyncClient, scribe: Scribe, name: str
) -> None:
    mine, room = bearer(f"u{name}"), f"user:u{name}"
    first = await scribe.write(room, type="booking.created")
    await scribe.write(room, type="unheard-of")
    await http.post(f"{V1}/{first.id}/seen", headers=mine)
    counts = (await http.get(f"{V1}/counts", headers=mine)).json()
    assert (counts["unread"], counts["unseen"]) == (2, 1)
    assert counts["byType"]["booking.created"] == {"unread": 1, "unseen": 0}
    assert counts["byCategory"]["other"] == {"unread": 1, "unseen": 1}
    await http.post(f"{V1}/seen", headers=mine)
    counts = (await http.get(f"{V1}/counts", headers=mine)).json()
    assert (counts["unread"], counts["unseen"]) == (2, 0)


async def test_many_at_once(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    mine, room = bearer(f"u{name}"), f"user:u{name}"
    records = [await scribe.write(room, data={"n": n}, tags=("x",) if n % 2 else ()) for n in range(5)]
    stranger = uuid4()
    ids = [str(records[0].id), str(records[0].id), str(stranger)]
    answer = await http.post(f"{V1}/bulk", headers=mine, json={"operation": "read", "ids": ids})
    assert answer.json() == {"changed": 1, "notFound": [str(stranger)], "more": False}
    seen = {room: records[3].rooms[0].seq - 1}
    wanted = {"operation": "archived", "filter": {"tag": "x"}, "positions": seen}
    assert (await http.post(f"{V1}/bulk", headers=mine, json=wanted)).json()["changed"] == 1
    assert numbers(await http.get(V1, headers=mine)) == [4, 3, 2, 0]
    for wrong in ({"operation": "read"}, {"operation": "eat", "ids": ids}, {"operation": "snoozed", "ids": ids}):
        assert (await http.post(f"{V1}/bulk", headers=mine, json=wrong)).status_code == 422


async def test_who_has_an_answer_is_not_sent_it_again(http: httpx.AsyncClient, scribe: Scribe, name: str) -> None:
    mine = bearer(f"u{name}")
    answer = await http.get(V1, headers=mine)
    again = await http.get(V1, headers=mine | {"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await scribe.write(f"user:u{name}", data={"n": 1})
    assert (await http.get(V1, headers=mine | {"If-None-Match": answer.headers["etag"]})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "no-credential"),
        ({"Authorization": "Bearer nonsense"}, "invalid-token"),
        (bearer("u", lifetime=-60), "expired-token"),
    ],
)
async def test_without_a_token_nothing_is_told(http: httpx.AsyncClient, headers: dict[str, str], code: str) -> None:
    for path in (V1, f"{V1}/unread-count", f"{V1}/{uuid4()}", "/api/notifications", "/api/v1/preferences"):
        answer = await http.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["code"] == code
        assert answer.headers["www-authenticate"] == "Bearer"
    metrics = (await http.get("/metrics")).text
    assert f'carillon_gateway_unauthorized_total{{door="http",reason="{code}"}}' in metrics


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"event": "other"}, "event"),
        ({"severity": "mild"}, "severity"),
        ({"from": "2025-10-17T10:00:00"}, "from"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"name": "a\x00b"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_query_names_the_field(http: httpx.AsyncClient, query: dict[str, str], field: str) -> None:
    answer = await http.get(V1, headers=bearer("u"), params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_preferences_are_written_by_their_owner_alone(http: httpx.AsyncClient, name: str) -> None:
    path, mine, admin = "/api/v1/preferences", bearer(f"u{name}"), bearer(f"a{name}", role="admin")
    assert (await http.get(path, headers=mine)).json() == {
        "channels": {},
        "types": {},
        "version": 0,
        "updatedAt": None,
    }
    wanted = {"channels": {"email": False}, "types": {"service.alert": {"email": True}}}
    assert (await http.put(path, headers=mine, json=wanted | {"version": 0})).json()["version"] == 1
    assert (await http.put(path, headers=mine, json=wanted | {"version": 0})).status_code == 409
    assert (await http.get(f"{path}/u{name}", headers=admin)).json()["channels"] == {"email": False}
    refused = await http.put(f"{path}/u{name}", headers=admin, json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-own")
    assert (await http.get(f"{path}/u{name}", headers=bearer(f"v{name}"))).status_code == 403
    assert (await http.put(path, headers=mine, json={"channels": {"pigeon": False}})).status_code == 422


async def test_browsers_may_call_with_credentials(http: httpx.AsyncClient) -> None:
    asks = {"Origin": "http://app.example", "Access-Control-Request-Method": "PATCH"}
    answer = await http.options(f"{V1}/{uuid4()}/read", headers=asks)
    assert answer.headers["access-control-allow-origin"] == "http://app.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    polling = await http.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": "http://app.example"})
    assert polling.headers["access-control-allow-origin"] == "http://app.example"
