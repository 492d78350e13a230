"""Who is near a point, as PostgreSQL finds them: compared with everybody's distance, by the index, bounded."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import asyncpg
import pytest

from libs.postgres.pool import create_pool
from services.router.adapters import directory
from services.router.adapters.directory import PostgresDirectory
from services.router.domain.nearness import EARTH_RADIUS_METERS, Search
from tests.unit.router.events import NOW

pytestmark = pytest.mark.covers("F4-2")

Person = tuple[str, float, float, float | None]  # id, latitude, longitude, own radius
_PEOPLE = """
insert into users (tenant, user_id, latitude, longitude, located_at, radius_meters)
select 't', i, a, o, $5, r from unnest($1::text[], $2::float8[], $3::float8[], $4::float8[]) as k (i, a, o, r)"""
_ROLES = """
insert into memberships (tenant, user_id, room, joined_at, joined_seq, source)
select 't', i, $2, now(), 0, 'directory' from unnest($1::text[]) as k (i)"""


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await create_pool(database, "carillon_router", min_size=1, max_size=1)
    yield pool
    pool.terminate()


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def settle(db: asyncpg.Connection, people: Sequence[Person], room: str = "role:r", age: int = 60) -> None:
    """People at their places."""
    await db.execute(_PEOPLE, *zip(*people, strict=True), NOW - timedelta(seconds=age))
    await db.execute(_ROLES, [person[0] for person in people], room)


def search(
    latitude: float, longitude: float, radius: float | None, tenant: str = "t", otherwise: float = 5_000
) -> Search:
    return Search(tenant, "role:r", latitude, longitude, radius, otherwise, NOW - timedelta(hours=1))


def distance(of: Person, near: Search) -> float:
    """Along the surface, by vectors: another way than that of the query."""

    def vector(latitude: float, longitude: float) -> tuple[float, float, float]:
        lat, lon = math.radians(latitude), math.radians(longitude)
        return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)

    a, b = vector(of[1], of[2]), vector(near.latitude, near.longitude)
    apart = math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
    return 2 * EARTH_RADIUS_METERS * math.asin(min(1.0, apart / 2))


@pytest.mark.parametrize(
    ("latitude", "longitude", "radius"),
    [(48.2, 16.37, 10_000), (0, 179.99, 30_000), (-16.5, -179.999, 50_000), (89.95, 20, 40_000), (-89.999, 0, 900_000),
     (52.5, 13.4, None), (0, 0, 1_000_000)],
)  # fmt: skip
async def test_finds_who_is_within_the_distance_and_nobody_else(
    pool: asyncpg.Pool, db: asyncpg.Connection, latitude: float, longitude: float, radius: float | None
) -> None:
    chance = random.Random(f"{latitude} {longitude}")
    spread = (radius or 60_000) / 111_000 * 1.5
    people: list[Person] = []
    for n in range(400):
        lat = max(-90.0, min(90.0, latitude + chance.uniform(-spread, spread)))
        wide = spread / max(0.02, math.cos(math.radians(lat)))
        lon = (longitude + chance.uniform(-wide, wide) + 540) % 360 - 180
        people.append((f"p{n:03}", lat, lon, chance.choice([None, 1_000.0, 60_000.0])))
    await settle(db, people)
    near = search(latitude, longitude, radius)
    found = (await PostgresDirectory(pool).nearby([near], 1_000)).by_search.get(near, ())
    reach = {person[0]: radius or person[3] or near.default_radius for person in people}
    away = {person[0]: distance(person, near) for person in people}
    wanted = {name for name in away if away[name] <= reach[name]}
    assert 0 < len(wanted) < len(people)
    assert set(found) == wanted
    assert all(away[nearer] <= away[farther] + 0.01 for nearer, farther in itertools.pairwise(found))


async def test_needs_the_role_a_fresh_place_and_the_tenant(pool: asyncpg.Pool, db: asyncpg.Connection) -> None:
    here: list[Person] = [("ann", 1.0, 1.0, None)]
    await settle(db, here)
    await settle(db, [("old", 1.0, 1.0, None)], age=7200)
    await settle(db, [("other", 1.0, 1.0, None)], room="role:other")
    await settle(db, [("left", 1.0, 1.0, None)])
    await db.execute("update memberships set left_at = now(), left_seq = 0 where user_id = 'left'")
    searches = [search(1, 1, 100), search(1, 1, 100, tenant="elsewhere"), search(2, 2, 100)]
    found = await PostgresDirectory(pool).nearby(searches, 10)
    assert found.by_search == {searches[0]: ("ann",)}
    assert found.as_of is not None


async def test_a_crowd_is_bounded_to_the_nearest(
    pool: asyncpg.Pool, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await settle(db, [(f"p{n:04}", 10 + n / 10_000, 10.0, None) for n in range(1_000)])
    near = search(10, 10, 500_000)
    found = await PostgresDirectory(pool).nearby([near], 20)
    assert found.by_search[near] == tuple(f"p{n:04}" for n in range(21))
    monkeypatch.setattr(directory, "CANDIDATES", 50)
    assert len((await PostgresDirectory(pool).nearby([near], 200)).by_search[near]) == 50


async def test_is_found_by_the_index(pool: asyncpg.Pool, db: asyncpg.Connection) -> None:
    """Of twenty thousand people all over a country a few hundred are looked at."""
    await db.execute(
        """insert into users (tenant, user_id, latitude, longitude, located_at)
           select 't', 'p' || n, 46 + (n % 200) * 0.01, 9 + (n / 200) * 0.05, $1 from generate_series(0, 19999) n""",
        NOW,
    )  # fmt: skip
    await db.execute(_ROLES, [f"p{n}" for n in range(20_000)], "role:r")
    await db.execute("analyze users, memberships")
    near = search(47, 11, 5_000)
    low, high = near.strips
    ((west, east),) = near.stretches
    plan = await db.fetch(
        "explain (analyze, buffers) " + directory._SQL["nearby"],
        [0], ["t"], ["role:r"], [47.0], [11.0], [5_000.0], [1.0], [near.since],
        [0], [low], [high], [west], [east], 50_000, 100,
    )  # fmt: skip
    text = "\n".join(row[0] for row in plan)
    assert "users_by_place" in text, text
    assert "Seq Scan on users" not in text
