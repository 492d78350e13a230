"""The catalogues of tenants as PostgreSQL has them: seen within a look, kept by version, never stopping anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest

from libs.catalogue.catalogue import Catalogue, shipped
from libs.catalogue.feed import Catalogues, as_of
from libs.postgres.pool import create_pool
from services.ingest.adapters.catalogue import PostgresTypes
from services.router.adapters.catalogue import keep_release

pytestmark = pytest.mark.covers("F4-5", "B7")

OWN = {"match": {"event": "service.event", "name": "a.b"}, "category": "c", "name": "n", "channels": ["in-app"]}


@pytest.fixture
async def types(database: str) -> AsyncIterator[PostgresTypes]:
    pool = await create_pool(database, "carillon_ingest", max_size=2)
    yield PostgresTypes(pool)
    await pool.close()


@pytest.mark.parametrize("role", ["carillon_router", "carillon_gateway", "carillon_delivery", "carillon_ingest"])
async def test_every_service_sees_a_change_at_its_next_look(database: str, types: PostgresTypes, role: Any) -> None:
    pool = await create_pool(database, role, max_size=1)
    catalogues = Catalogues(pool.fetch)
    await catalogues.ready()
    assert catalogues.of("t") is shipped()
    assert await types.say("t", "a.b", OWN, 0, "test") == 1
    assert await types.say("t", "a.b", OWN, 0, "test") is None, "somebody was faster"
    await catalogues.refresh()
    assert catalogues.of("t").registers("a.b")
    assert catalogues.of("t").version == f"{shipped().version}+1"
    assert not catalogues.of("u").registers("a.b")
    assert await types.say("t", "a.b", None, 1, "test") == 2
    await catalogues.refresh()
    assert not catalogues.of("t").registers("a.b")
    await pool.close()


async def test_what_does_not_fit_any_more_is_left_out(database: str, types: PostgresTypes) -> None:
    await types.say("t", "a.b", OWN, 0, "test")
    await types.say("t", "task.assigned", {"channels": ["pigeon"]}, 1, "test")
    pool = await create_pool(database, "carillon_router", max_size=1)
    catalogues = Catalogues(pool.fetch)
    await catalogues.refresh()
    assert catalogues.of("t").registers("a.b")
    assert catalogues.of("t").get("task.assigned") == shipped().get("task.assigned")
    await pool.close()


async def test_a_version_can_be_read_after_what_was_shipped_has_changed(database: str, types: PostgresTypes) -> None:
    older = Catalogue("older", tuple(kind.model_copy(update={"icon": "star"}) for kind in shipped().types))
    pool = await create_pool(database, "carillon_router", max_size=1)
    for _ in range(2):
        await keep_release(pool, older)
    await pool.close()
    for number, icon in enumerate(("one", "two")):
        await types.say("t", "a.b", OWN | {"icon": icon}, number, "test")
    operator = await asyncpg.connect(database)
    then = await as_of(operator.fetch, "t", "older+1")
    assert [kind.icon for key in ("a.b", "task.assigned") if (kind := then.get(key))] == ["one", "star"]
    assert then.version == "older+1"
    assert (await as_of(operator.fetch, "t", "unknown")).get("a.b") is None
    assert orjson.loads(await operator.fetchval("select types::text from catalogue_releases"))
    await operator.close()
