"""The directory over HTTP and by its topic: entries, intervals, the trail, and what gateways are told."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from libs.schemas.records import DeadLetter, MembershipChange
from tests.integration.ingest.system import System, bearer, until

pytestmark = pytest.mark.covers("S3", "F1-3", "F2-4")

ROOT = "/api/v1/directory"


async def open_rooms(system: System, user: str) -> set[str]:
    rows = await system.db.fetch("select room from memberships where user_id = $1 and left_at is null", user)
    return {row["room"] for row in rows}


async def test_a_persons_rooms_are_exactly_what_is_named(system: System, http: httpx.AsyncClient) -> None:
    ada: dict[str, Any] = {
        "email": "ada@example.test",
        "departments": ["d1", "d2"],
        "roles": ["r"],
        "desk": {"floor": 1},
    }
    assert (await http.put(f"{ROOT}/users/ada", json=ada)).status_code == 200
    assert await open_rooms(system, "ada") == {"tenant", "broadcast", "dept:d1", "dept:d2", "role:r"}
    await http.put(f"{ROOT}/memberships/o/ada", json={"role": "admin"})
    await http.put(f"{ROOT}/users/ada", json=ada | {"departments": ["d2", "d3"], "roles": []})
    assert await open_rooms(system, "ada") == {"tenant", "broadcast", "dept:d2", "dept:d3", "org:o"}
    found = (await http.get(f"{ROOT}/users/ada")).json()
    assert (found["departments"], found["roles"], found["orgs"]) == (
        ["d2", "d3"],
        [],
        [{"orgId": "o", "role": "admin"}],
    )
    assert found["attributes"] == {"desk": {"floor": 1}}
    closed = await system.db.fetchrow("select left_seq, source from memberships where room = 'dept:d1'")
    assert closed is not None
    assert (closed["left_seq"], closed["source"]) == (0, "directory")


async def test_who_leaves_loses_the_room_and_who_is_deleted_all_of_them(
    system: System, http: httpx.AsyncClient
) -> None:
    await http.put(f"{ROOT}/users/ada", json={})
    await http.put(f"{ROOT}/devices/ada/phone", json={"platform": "fcm", "token": "t"})
    await http.put(f"{ROOT}/orgs/o", json={"name": "O"})
    await http.put(f"{ROOT}/memberships/o/ada", json={})
    await http.put(f"{ROOT}/memberships/p/ada", json={"role": "owner"})
    assert (await http.delete(f"{ROOT}/memberships/p/ada")).status_code == 204
    assert (await http.get(f"{ROOT}/memberships/p/ada")).status_code == 404
    assert (await http.get(f"{ROOT}/memberships/o/ada")).json()["role"] == "member"
    assert [d["id"] for d in (await http.get(f"{ROOT}/users/ada/devices")).json()["devices"]] == ["phone"]
    assert (await http.delete(f"{ROOT}/users/ada")).status_code == 204
    assert await open_rooms(system, "ada") == set()
    for path in ("users/ada", "devices/ada/phone", "memberships/o/ada"):
        assert (await http.get(f"{ROOT}/{path}")).status_code == 404
    assert (await http.get(f"{ROOT}/orgs/o")).json()["name"] == "O"


async def test_an_organisation_that_is_gone_has_no_members(system: System, http: httpx.AsyncClient) -> None:
    members = [{"kind": "membership", "orgId": "o", "userId": f"u{n}"} for n in range(700)]
    answer = await http.post(f"{ROOT}/bulk", json={"entries": [{"kind": "org", "id": "o"}, *members]})
    assert answer.json()["written"] == 701
    await http.delete(f"{ROOT}/orgs/o")
    assert await system.db.fetchval("select count(*) from memberships where left_at is null") == 0
    assert (await http.get(f"{ROOT}/orgs/o")).status_code == 404


async def test_bulk_writes_what_is_valid_and_tells_the_rest(system: System, http: httpx.AsyncClient) -> None:
    entries = [{"kind": "user", "id": "ada"}, {"kind": "user"}, {"kind": "pet", "id": "rex"}, 5]
    answer = await http.post(f"{ROOT}/bulk", json={"entries": entries})
    assert (answer.status_code, answer.json()["written"], answer.json()["refused"]) == (200, 1, 3)
    results = answer.json()["results"]
    assert results[0] == {"status": 200, "subject": "user:ada"}
    assert [item["problem"]["code"] for item in results[1:]] == ["missing-field", "invalid-field", "not-an-object"]
    assert (await http.post(f"{ROOT}/bulk", json={"entries": entries[1:]})).status_code == 422
    assert (await http.post(f"{ROOT}/bulk", json={"entries": [{}] * 1_001})).status_code == 422


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("users/ada", {"email": "nope"}, "email"),
        ("users/ada", {"id": "bob"}, "id"),
        ("users/ada", {"displayName": "a\0"}, "displayName"),
        ("devices/ada/d", {"platform": "fax", "token": "t"}, "platform"),
        ("users/a%20b", {}, "id"),
    ],
)
async def test_a_wrong_entry_names_its_field(
    path: str, body: dict[str, Any], field: str, shared_http: httpx.AsyncClient
) -> None:
    answer = await shared_http.put(f"{ROOT}/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_gateways_that_hold_a_persons_sockets_are_told(system: System, http: httpx.AsyncClient) -> None:
    await system.db.execute(
        "insert into gateway_slots (slot, epoch, lease_until) values (3, 8, 'infinity'), (4, 9, 'infinity')"
    )
    await system.db.execute(
        """insert into room_interest (tenant, room, slot, slot_epoch)
           values ('default', 'user:ada', 3, 8), ('default', 'user:ada', 4, 1), ('acme', 'user:ada', 3, 8)"""
    )
    await http.put(f"{ROOT}/users/ada", json={})
    await http.put(f"{ROOT}/users/bob", json={})
    (record,) = await system.records("gateway.inbox", 1)
    change = MembershipChange.model_validate_json(record.value)
    assert (record.partition, change.tenant, change.user_id) == (3, "default", "ada")
    assert change.version == await system.db.fetchval("select version from membership_versions where user_id = 'ada'")


async def test_every_change_over_http_stands_in_the_trail(system: System, http: httpx.AsyncClient) -> None:
    await http.put(f"{ROOT}/users/ada", json={})
    await http.delete(f"{ROOT}/users/ada")
    rows = await system.db.fetch("select actor, action, subject from audit_trail order by at")
    assert [tuple(row) for row in rows] == [
        ("user:operator", "directory.upsert", "user:ada"),
        ("user:operator", "directory.delete", "user:ada"),
    ]


_OF_PEOPLE = """
select table_name from information_schema.columns join pg_tables on tablename = table_name and schemaname = table_schema
where table_schema = 'public' and column_name = 'user_id' order by table_name
"""
#: What was said to somebody and decided about them, with the keys of it, and who could read what when; `throttles` are
#: purged as they end.
_KEPT = {
    "deliveries",
    "digests",
    "erasures",
    "lifecycle_outbox",
    "membership_versions",
    "memberships",
    "responses",
    "sealing_keys",
    "throttles",
}
_TRACES = """
insert into preferences (tenant, user_id, version, document, valid_from) values ('default', $1, 1, '{}', now());
insert into mutes (tenant, user_id, type, since) values ('default', $1, 'a.b', now());
insert into room_watermarks (tenant, user_id, room) values ('default', $1, 'tenant');
insert into user_heads (tenant, user_id, seq) values ('default', $1, 1);
insert into state_log (tenant, user_id, seq, operation, at) values ('default', $1, 1, 'read_all', now());
insert into acknowledgements (tenant, user_id, room, seq) values ('default', $1, 'tenant', 3);
insert into receipts (tenant, user_id, notification, room, seq)
  values ('default', $1, gen_random_uuid(), 'tenant', 1);
insert into presence (tenant, user_id, custom_status) values ('default', $1, 'lunch');
insert into presence_sockets (tenant, user_id, gateway, home, sockets, roles, sessions)
  values ('default', $1, 'g', 'default', 1, '{}', '{}');
"""


async def test_who_is_deleted_takes_along_what_is_theirs_alone(system: System, http: httpx.AsyncClient) -> None:
    for user in ("ada", "bob"):
        await http.put(f"{ROOT}/users/{user}", json={})
        await http.put(f"{ROOT}/devices/{user}/d", json={"platform": "fcm", "token": "t"})
        await system.db.execute(_TRACES.replace("$1", f"'{user}'"))
    tables = {row["table_name"] for row in await system.db.fetch(_OF_PEOPLE)} - _KEPT
    assert {"preferences", "presence", "mutes", "acknowledgements", "devices"} <= tables
    await http.delete(f"{ROOT}/users/ada")
    for table in tables:
        rows = await system.db.fetch(f"select distinct user_id from {table}")
        assert [row["user_id"] for row in rows] == ["bob"], table


async def test_a_tenants_directory_is_its_own(system: System, http: httpx.AsyncClient) -> None:
    await http.put(f"{ROOT}/users/ada", json={"displayName": "Ada"})
    acme = bearer(tenantId="acme")
    assert (await http.get(f"{ROOT}/users/ada", headers=acme)).status_code == 404
    assert (await http.get(f"{ROOT}/users/ada?tenant=default", headers=acme)).status_code == 403
    assert (await http.put(f"{ROOT}/users/ada", json={}, headers=acme)).status_code == 200
    assert (await http.get(f"{ROOT}/users/ada")).json()["displayName"] == "Ada"


async def test_writers_of_the_same_people_do_not_meet_in_a_deadlock(system: System, http: httpx.AsyncClient) -> None:
    def entries(turn: int) -> list[dict[str, Any]]:
        people: list[dict[str, Any]] = [
            {"kind": "user", "id": f"u{n}", "departments": [f"d{(n + turn) % 5}"]} for n in range(40)
        ]
        orgs: list[dict[str, Any]] = [
            {"kind": "membership", "orgId": f"o{n % 3}", "userId": f"u{n}", "role": f"r{turn}"} for n in range(40)
        ]
        return (people + orgs) if turn % 2 else list(reversed(people + orgs))

    answers = await asyncio.gather(*(http.post(f"{ROOT}/bulk", json={"entries": entries(turn)}) for turn in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    counts = "select count(*) from memberships where left_at is null and room like $1"
    assert await system.db.fetchval(counts, "dept:%") == 40
    assert await system.db.fetchval(counts, "org:%") == 40


async def test_the_topic_says_the_same_and_bad_records_are_kept(system: System, http: httpx.AsyncClient) -> None:
    await system.publish({"id": "ada", "departments": ["d"]}, "directory", key=b"user:default:ada")
    await system.publish({"orgId": "o", "userId": "ada", "role": "owner"}, "directory", key=b"membership:default:o/ada")
    await until(lambda: open_rooms(system, "ada"), lambda rooms: rooms == {"tenant", "broadcast", "dept:d", "org:o"})
    for key, value in ((b"user:default:bob", b"{"), (b"nonsense", b"{}"), (b"user:nobody:x", b'{"id": "x"}')):
        await system.publish(value, "directory", key=key)
    letters = [DeadLetter.model_validate_json(r.value) for r in await system.records("noti.invalid", 3)]
    assert {letter.code for letter in letters} == {"not-json", "invalid-key", "unknown-tenant"}
    assert {letter.source.topic for letter in letters} == {f"{system.prefix}directory"}
    await system.publish(None, "directory", key=b"membership:default:o/ada")
    await until(lambda: open_rooms(system, "ada"), lambda rooms: "org:o" not in rooms)
    await system.publish(None, "directory", key=b"user:default:ada")
    await until(lambda: open_rooms(system, "ada"), lambda rooms: not rooms)
    assert (await http.get(f"{ROOT}/users/ada")).status_code == 404


async def test_an_entry_that_cannot_be_stored_does_not_hold_up_the_others(
    system: System, http: httpx.AsyncClient
) -> None:
    await system.db.execute("alter table users add constraint picky check (display_name <> 'Bob')")
    for name in ("Ada", "Bob", "Cy"):
        await system.publish({"id": name, "displayName": name}, "directory", key=f"user:default:{name}".encode())
    (letter,) = await system.records("noti.invalid", 1)
    assert DeadLetter.model_validate_json(letter.value).code == "not-storable"
    for name in ("Ada", "Cy"):
        await until(lambda name=name: open_rooms(system, name), bool)  # type: ignore[misc]
    refused = await http.put(f"{ROOT}/users/bob", json={"displayName": "Bob"})
    assert (refused.status_code, refused.json()["code"]) == (422, "not-storable")


@pytest.mark.covers("F4-2")
async def test_the_newest_place_of_a_person_is_kept(http: httpx.AsyncClient) -> None:
    place = {"lat": 48.2, "lon": 16.4, "updatedAt": "2026-11-21T10:00:00.000Z", "radiusMeters": 500.0}

    async def after(body: dict[str, Any]) -> Any:
        assert (await http.put(f"{ROOT}/users/ada", json=body)).status_code == 200
        return (await http.get(f"{ROOT}/users/ada")).json()["location"]

    assert await after({}) is None
    assert await after({"location": place}) == place
    assert await after({"displayName": "Ada"}) == place
    assert await after({"location": place | {"lat": 1.0, "updatedAt": "2026-11-21T09:59:59Z"}}) == place
    newer = place | {"lat": 1.0, "updatedAt": "2026-11-21T10:00:01.000Z", "radiusMeters": None}
    assert await after({"location": newer}) == newer
    assert await after({"location": None}) is None
    for wrong in ({"lat": 91}, {"lon": 181}, {"updatedAt": "2026-11-21T10:00:00"}, {"radiusMeters": 0}):
        assert (await http.put(f"{ROOT}/users/ada", json={"location": place | wrong})).status_code == 422
