"""Sensitive data is sealed wherever the database keeps it, and open wherever it goes: on real stores."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from typer.testing import Result

from devstack.layout import DEVELOPMENT_SEALING_KEY, Neighbours
from devstack.ports import free_port
from libs.catalogue.paths import MASK
from libs.postgres.pool import Role, create_pool
from libs.runtime.clock import utc_now
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent
from libs.sealing.masters import Masters, new_master
from libs.sealing.vault import Closed, Vault
from tests.integration.cli.running import Command
from tests.integration.router.composed import Router
from tests.integration.router.events import by_email, to
from tests.integration.router.system import TENANT, System
from tests.integration.router.test_erasing import ask, carry_out
from tests.integration.router.waiting import all_due, emailed, rounds
from tests.vault import unsealable, vault

pytestmark = pytest.mark.covers("F2-8")

SECRET = "the-diagnosis"
KIND = {
    "match": {"event": "service.event", "name": "result.ready"},
    "category": "ward",
    "name": "Result ready",
    "channels": ["in-app", "email"],
    "sensitive": ["patient.name", "values", "ctaUrl"],
}
DATA: dict[str, Any] = {
    "patient": {"name": SECRET, "ward": 7},
    "values": [{"text": SECRET}, 18446744073709551615],
    "ctaUrl": f"/results/{SECRET}",
    "n": 1,
}
KEPT = {"patient": {"name": MASK, "ward": 7}, "values": MASK, "ctaUrl": MASK, "n": 1}
_ROW = "select id, data, sealed from notifications where id = $1"


@pytest.fixture(autouse=True)
async def _said(system: System) -> None:
    await system.say("result.ready", KIND)
    await system.person("ada")
    await system.person("bob")


def ready(*users: str, **fields: Any) -> AcceptedEvent:
    return by_email(*users, **{"name": "result.ready", "type": "result.ready", "data": DATA} | fields)


async def in_plain(system: System) -> list[str]:
    """The tables in which the secret stands, as text or as bytes."""
    tables = await system.sql.fetch("select tablename from pg_tables where schemaname = 'public' order by 1")
    found = []
    for (table,) in tables:
        rows = await system.sql.fetch(f"select t::text from {table} t")
        if any(SECRET in text or SECRET.encode().hex() in text for (text,) in rows):
            found.append(table)
    return found


async def opened(system: System, by: Vault, event: UUID) -> dict[str, Any]:
    """The data of a notification, as delivery reads it."""
    row = await system.sql.fetchrow(_ROW, event)
    assert row is not None
    return await opened_row(system, by, row)


async def opened_row(system: System, by: Vault, row: asyncpg.Record) -> dict[str, Any]:
    async with acting(system, "carillon_delivery") as pool:
        found = await by.open(pool.fetch, [Closed(TENANT, row["id"], row["data"], row["sealed"])])
    return found[TENANT, row["id"]]


@asynccontextmanager
async def acting(system: System, role: Role) -> AsyncIterator[asyncpg.Pool]:
    """As one of the services."""
    pool = await create_pool(system.dsn, role, max_size=1)
    try:
        yield pool
    finally:
        await pool.close()


async def rewrapped(neighbours: Neighbours, keys: str) -> Result:
    command = Command(neighbours.environment() | {"CARILLON_SEALING_KEYS": keys})
    return await asyncio.to_thread(command, "sealing", "rewrap")


async def owners(system: System) -> set[str]:
    return {row[0] for row in await system.sql.fetch("select user_id from sealing_keys")}


async def test_no_table_holds_it_and_everybody_it_is_for_sees_it(system: System, router: Router) -> None:
    await system.listen(1, "user:ada")
    own, both = ready("ada"), ready("ada", "bob")
    records = await system.publish(own, both)
    await router.handle(records)
    assert await in_plain(system) == []
    row = await system.sql.fetchrow(_ROW, own.id)
    assert row is not None
    assert orjson.loads(row["data"]) == KEPT
    assert set(orjson.loads(row["sealed"])["values"]) == {"patient.name", "values", "ctaUrl"}
    assert await owners(system) == {"ada", ""}, "what is for two people is sealed for their tenant"
    assert [emission.data for emission in await system.emissions()] == [DATA, DATA]
    await all_due(system)
    claimed = await emailed(system)
    assert {delivery.recipient.user_id for delivery in claimed} == {"ada", "bob"}
    assert all(delivery.content.document["data"] == DATA for delivery in claimed)
    assert all(delivery.content.action_url == DATA["ctaUrl"] for delivery in claimed)
    await router.handle(records)  # written before, so it is read back for the gateways
    assert [emission.data for emission in await system.emissions()] == [DATA] * 4
    await system.adds_up()


async def test_a_digest_names_no_sealed_link(system: System, router: Router) -> None:
    await system.person("cyd", preferences='{"channels": {"email": {"frequency": "daily"}}}')
    await router.handle(await system.publish(ready("cyd"), by_email("cyd", data={"ctaUrl": "/plain"})))
    await all_due(system)
    await rounds(router)
    await all_due(system)
    (digest,) = await emailed(system)
    assert sorted(str(item.action_url) for item in digest.content.items) == ["/plain", "None"]


async def test_what_is_not_sensitive_is_stored_as_it_was(system: System, router: Router) -> None:
    await router.handle(await system.publish(to("ada", data={"n": 1})))
    assert await owners(system) == set()
    await router.handle(await system.publish(ready("ada", data={"n": 1}), ready("ada", data=None)))
    rows = await system.sql.fetch("select sealed from notifications")
    assert [row["sealed"] for row in rows] == [None] * 3
    assert await owners(system) == {"ada"}, "the type has sensitive paths, although nothing stands at them here"


async def test_what_waits_for_its_time_is_sealed_meanwhile(system: System, router: Router) -> None:
    later = utc_now() + timedelta(hours=1)
    alone = ready("ada", deliver_at=later)
    group = ready("ada", deliver_at=later, recipients=Recipients(user_ids=("ada",), org_ids=("o",)))
    await router.handle(await system.publish(alone, group))
    assert await in_plain(system) == []
    assert await owners(system) == {"ada", ""}
    await all_due(system)
    await rounds(router)
    told = await system.reread(alone.event, 2)
    events = [AcceptedEvent.model_validate_json(record.value or b"") for record in told]
    assert [event.data for event in events] == [DATA, DATA]
    assert {event.id for event in events} == {alone.id, group.id}
    assert all("sealed" not in (event.model_extra or {}) for event in events)
    await router.handle(told)
    assert await in_plain(system) == []
    await system.adds_up()


async def test_a_broadcast_to_all_tenants_is_sealed_until_it_is_told(system: System, router: Router) -> None:
    await system.sql.executemany("insert into tenants (tenant) values ($1) on conflict do nothing", [(TENANT,), ("b",)])
    event = ready(recipients=Recipients(broadcast="platform"), channels=("in-app",))
    await router.handle(await system.publish(event))
    assert await system.sql.fetchval("select sealed from broadcasts")
    assert await in_plain(system) == []
    await rounds(router)
    told = [AcceptedEvent.model_validate_json(r.value or b"") for r in await system.reread(event.event, 1)]
    assert {TENANT, "b"} <= {one.tenant for one in told}
    assert all(one.data == DATA for one in told)


async def test_who_is_erased_leaves_nothing_that_a_backup_could_give_back(system: System, router: Router) -> None:
    event = ready("ada")
    await router.handle(await system.publish(event))
    backup = await system.sql.fetchrow(_ROW, event.id)
    assert backup is not None
    assert await opened_row(system, vault(), backup) == DATA
    await ask(system)
    await system.person("ada")  # who comes back at once
    again = ready("ada")
    await router.handle(await system.publish(again))
    await carry_out(system, router)
    assert await system.sql.fetchval("select sealed from notifications where id = $1", event.id) is None
    reader = vault()
    assert await opened_row(system, reader, backup) == KEPT | {
        "patient": {"name": None, "ward": 7},
        "values": None,
        "ctaUrl": None,
    }
    assert unsealable(reader, "key-gone") == 3
    assert await opened(system, reader, again.id) == DATA, "what is said afterwards is sealed by another key"
    assert await system.sql.fetchval("select count(*) from sealing_keys where user_id = 'ada'") == 1


async def test_a_delivery_without_its_key_goes_out_without_the_values(system: System, router: Router) -> None:
    await router.handle(await system.publish(ready("ada"), ready("bob")))
    await system.sql.execute("delete from sealing_keys where user_id = 'ada'")
    await all_due(system)
    data = {one.recipient.user_id: one.content for one in await emailed(system)}
    assert data["ada"].document["data"]["patient"] == {"name": None, "ward": 7}
    assert data["ada"].action_url is None
    assert data["bob"].document["data"] == DATA


@pytest.mark.parametrize(
    "change",
    [
        """jsonb_set(sealed, '{values,patient.name}', to_jsonb('AAAA'::text))""",
        """jsonb_set(sealed, '{values,patient.name}', sealed #> '{values,values}')""",
        """jsonb_set(sealed, '{values}', '{"patient.name": 7}')""",
        """'{"key": "none"}'""",
        """'[]'""",
    ],
)
async def test_what_was_tampered_with_is_not_shown(system: System, router: Router, change: str) -> None:
    event = ready("ada")
    await router.handle(await system.publish(event))
    await system.sql.execute(f"update notifications set sealed = {change}")
    reader = vault()
    found = await opened(system, reader, event.id)
    assert found["patient"]["name"] in (None, MASK)
    assert found["n"] == 1
    assert unsealable(reader, "tampered") >= 1


async def test_keys_are_rotated_without_a_moment_that_cannot_read(
    system: System, router: Router, neighbours: Neighbours
) -> None:
    event, fresh = ready("ada"), new_master()
    await router.handle(await system.publish(event, ready("ada", "bob")))
    both, after = f"{fresh},{DEVELOPMENT_SEALING_KEY}", vault(fresh)
    assert await opened(system, vault(both), event.id) == DATA
    assert await opened(system, after, event.id) != DATA
    assert unsealable(after, "master-unknown") == 3
    async with acting(system, "carillon_router") as pool:
        assert await vault(fresh).foreign(pool.fetch) == [Masters(DEVELOPMENT_SEALING_KEY).current]
        assert await vault(both).foreign(pool.fetch) == []
    refused = await rewrapped(neighbours, fresh)
    assert refused.exit_code == 1
    assert f"2 by {Masters(DEVELOPMENT_SEALING_KEY).current}" in refused.stderr
    done = await rewrapped(neighbours, both)
    assert (done.exit_code, done.stdout) == (0, f"2 keys are wrapped by {Masters(fresh).current} now\n")
    assert await opened(system, vault(fresh), event.id) == DATA
    assert (await rewrapped(neighbours, both)).stdout.startswith("0 keys"), "safe to repeat"


async def test_nobody_reads_the_keys_of_another_tenant(system: System, router: Router) -> None:
    await router.handle(await system.publish(ready("ada")))
    key = await system.sql.fetchval("select id from sealing_keys")
    named = "select count(*) from sealing_keys_of(array[$1], array[$2::uuid])"
    async with acting(system, "carillon_gateway") as pool, pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("select * from sealing_keys")
        for tenant, rows in ((TENANT, 1), ("globex", 0)):
            async with connection.transaction():
                await connection.execute("select set_config('carillon.tenant', $1, true)", tenant)
                assert await connection.fetchval(named, TENANT, key) == rows
        assert await connection.fetchval(named, "globex", key) == 0
    async with acting(system, "carillon_ingest") as pool:
        for statement in ("select * from sealing_keys", "select * from sealing_keys_of('{}', '{}')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.fetch(statement)
    forced = "select relrowsecurity and relforcerowsecurity from pg_class where relname = 'sealing_keys'"
    assert await system.sql.fetchval(forced)


async def test_a_router_with_other_keys_than_the_databases_does_not_start(
    system: System, neighbours: Neighbours
) -> None:
    await system.sql.execute(
        "insert into sealing_keys (tenant, user_id, id, master, wrapped) values ($1, '', $2, 'feedbeef', '')",
        TENANT,
        uuid4(),
    )
    told = neighbours.environment() | {"CARILLON_HTTP_PORT": str(free_port())}
    command = [sys.executable, "-m", "services.router"]
    ended = await asyncio.to_thread(
        subprocess.run, command, env=told, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "CARILLON_SEALING_KEYS lacks keys that are in use: feedbeef" in ended.stderr
