"""Presence in the database: who is here at any gateway, in which tenants it shows, and who is at a dead gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from libs.postgres.pool import create_pool
from libs.schemas.records import PresenceChange
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.presence import PostgresPresence
from services.gateway.domain.presence import Present
from services.gateway.live_ports import Connected, GatewaySwept

pytestmark = pytest.mark.covers("F3-1", "S19", "S3", "F2-4")

#: Longer than the tests' database has been up, so that a gateway's silence may be the database's.
LEASE = 86_400.0


@pytest.fixture
async def admin(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def presence(database: str) -> AsyncIterator[PostgresPresence]:
    async with await create_pool(database, "carillon_gateway") as pool:
        store = PostgresPresence(Database(pool), LEASE)
        for gateway in ("g1", "g2"):
            assert await store.beat(gateway, new=True)
        yield store


def here(user: str = "u", sockets: int = 1, tenant: str = "default", **more: Any) -> Present:
    return Present(tenant, user, sockets, **more)


def seen(changes: list[PresenceChange]) -> list[tuple[str, str, str, str]]:
    return sorted((c.tenant, c.user_id, c.previous, c.status) for c in changes)


async def test_a_person_is_online_while_any_gateway_has_a_socket_of_theirs(presence: PostgresPresence) -> None:
    came = await presence.report("g1", [here()])
    assert seen(came) == [("default", "u", "OFFLINE", "ONLINE")]
    assert await presence.report("g1", [here(sockets=2)]) == []
    assert await presence.report("g2", [here()]) == []
    assert await presence.report("g1", [here(sockets=0)]) == []
    went = await presence.report("g2", [here(sockets=0)])
    assert seen(went) == [("default", "u", "ONLINE", "OFFLINE")]
    assert went[0].version > came[0].version
    assert went[0].last_seen is not None


async def test_what_a_person_chose_overlays_that_they_are_here(presence: PostgresPresence) -> None:
    person = ("default", "u")
    assert await presence.choose(person, "AWAY", None, keep=True) == []  # they are not here
    await presence.report("g1", [here()])
    (away,) = await presence.choose(person, "AWAY", "lunch", keep=False)
    assert (away.status, away.custom_status, away.previous, away.chosen) == ("AWAY", "lunch", "ONLINE", True)
    assert await presence.choose(person, "AWAY", None, keep=True) == []
    (busy,) = await presence.choose(person, "BUSY", None, keep=True)
    assert (busy.status, busy.custom_status) == ("BUSY", "lunch")
    (hidden,) = await presence.choose(person, "OFFLINE", None, keep=False)
    assert (hidden.status, hidden.custom_status, hidden.previous) == ("OFFLINE", None, "BUSY")
    (gone,) = await presence.report("g1", [here(sockets=0)])
    assert (gone.previous, gone.status, gone.chosen) == ("OFFLINE", "OFFLINE", False)
    (back,) = await presence.report("g1", [here()])
    assert (back.previous, back.status) == ("OFFLINE", "ONLINE")


async def test_the_people_of_a_dead_gateway_go_offline_unless_they_are_elsewhere(
    presence: PostgresPresence, admin: asyncpg.Connection
) -> None:
    await presence.report("g1", [here("a"), here("b"), here("c")])
    await presence.report("g2", [here("b")])
    assert await presence.sweep(10) == []
    await admin.execute("update presence_gateways set alive_until = now() - interval '1 s' where gateway = 'g1'")
    assert await presence.sweep(10) == []  # the database itself may have been away for as long
    store = PostgresPresence(presence._database, 0.0)
    swept = [*await store.sweep(2), *await store.sweep(2)]
    assert seen(swept) == [("default", "a", "ONLINE", "OFFLINE"), ("default", "c", "ONLINE", "OFFLINE")]
    assert not await presence.beat("g1", new=False)
    with pytest.raises(GatewaySwept):
        await presence.report("g1", [here("a")])
    assert await store.sweep(2) == []
    assert await admin.fetchval("select count(*) from presence_gateways where gateway = 'g1'") == 0
    with pytest.raises(GatewaySwept):
        await presence.report("g1", [here("a")])


async def test_tenants_of_one_realm_see_their_common_people_and_others_do_not(
    presence: PostgresPresence, admin: asyncpg.Connection
) -> None:
    await admin.executemany(
        "insert into tenants (tenant, settings) values ($1, $2)",
        [
            ("a", '{"realm": "r"}'),
            ("b", '{"realm": "r"}'),
            ("c", '{"realm": "x"}'),
            ("d", "{}"),
            ("e", '{"realm": ""}'),
        ],
    )
    await admin.executemany(
        "insert into users (tenant, user_id) values ($1, $2)", [(tenant, "u") for tenant in "abcde"] + [("a", "w")]
    )
    came = await presence.report("g1", [here(tenant="a"), here("w", tenant="a"), here("v", tenant="e")])
    assert [(c.tenant, c.user_id) for c in came if c.user_id == "u"] in (
        [("a", "u"), ("b", "u")],
        [("b", "u"), ("a", "u")],
    )
    assert {(c.tenant, c.user_id) for c in came} == {("a", "u"), ("b", "u"), ("a", "w"), ("e", "v")}
    chosen = await presence.choose(("a", "u"), "BUSY", None, keep=True)
    assert {c.tenant for c in chosen} == {"a", "b"}
    stats = await presence.stats(("b", "somebody"), None, 10)
    assert (stats.total, [person["userId"] for person in stats.people]) == (1, ["u"])
    assert await presence.sockets(("b", "somebody"), None, 10) == []  # what they do elsewhere is not b's to know
    assert (await presence.stats(("c", "u"), ["u"], 10)).people == []
    await admin.execute("delete from users where tenant = 'b'")
    went = await presence.report("g1", [here(sockets=0, tenant="a")])
    assert {(c.tenant, c.status) for c in went} == {("a", "OFFLINE"), ("b", "OFFLINE")}


async def test_numbers_of_a_tenant_are_its_own(presence: PostgresPresence) -> None:
    people = [here("a", 2, roles=("ADMIN", "PRO"), sessions=("s1", "s2")), here("b", roles=("PRO",)), here("h")]
    await presence.report("g1", [*people, here("z", tenant="other", roles=("PRO",))])
    await presence.report("g2", [here("a", 1, roles=("PRO",), sessions=("s3",))])
    await presence.choose(("default", "h"), "OFFLINE", None, keep=True)
    stats = await presence.stats(("default", "a"), None, 10)
    assert (stats.total, stats.by_role) == (2, {"ADMIN": 1, "PRO": 2})
    assert [person["userId"] for person in stats.people] == ["a", "b"]
    asked = await presence.stats(("default", "a"), ["h", "z", "b"], 10)
    assert [(p["userId"], p["status"]) for p in asked.people] == [("b", "ONLINE"), ("h", "OFFLINE")]
    assert await presence.sockets(("default", "a"), None, 10) == [
        Connected("a", 3, ("s1", "s2", "s3")), Connected("b", 1, ()), Connected("h", 1, ())
    ]  # fmt: skip


async def test_changes_are_found_by_looking_when_nothing_told_of_them(presence: PostgresPresence) -> None:
    begin = datetime.now(UTC) - timedelta(minutes=1)
    await presence.report("g1", [here("a"), here("z", tenant="other")])
    await presence.choose(("default", "a"), "BUSY", None, keep=True)
    found = await presence.since({"default": begin}, 10)
    assert [(change.user_id, change.status) for change, _ in found] == [("a", "BUSY")]
    assert await presence.since({"default": found[-1][1]}, 10) == []


async def test_two_gateways_that_report_the_same_people_at_once_agree(
    presence: PostgresPresence, admin: asyncpg.Connection
) -> None:
    people = [f"p{number}" for number in range(50)]
    for sockets in (1, 0, 1, 0):
        reports = [
            presence.report("g1", [here(user, sockets) for user in people]),
            presence.report("g2", [here(user, sockets) for user in reversed(people)]),
        ]
        changes = [change for part in await asyncio.gather(*reports) for change in part]
        assert sorted(change.user_id for change in changes) == sorted(people)
    assert await admin.fetchval("select count(*) from presence where online") == 0


async def test_members_are_counted_only_as_far_as_it_matters(
    presence: PostgresPresence, admin: asyncpg.Connection
) -> None:
    await admin.execute(
        "insert into memberships (tenant, user_id, room, joined_at, joined_seq, source) "
        "select 'default', n::text, 'tenant', now(), 0, 'directory' from generate_series(1, 30) n"
    )
    assert await presence.sizes(["default", "other"], 10) == {"default": 10, "other": 0}
