"""Counting what became of every offset."""

import asyncpg
import pytest

from libs.postgres.pool import create_pool
from libs.postgres.progress import Advance, Progress

pytestmark = pytest.mark.covers("B7")

NOTI = ("noti", 0)


async def test_a_partition_goes_on_where_it_stood(database: str) -> None:
    async with await create_pool(database, "carillon_ingest") as pool, pool.acquire() as connection:
        progress = Progress("ingest", "cluster-a")
        assert await progress.open(connection, NOTI, first=5, end=100) == 5
        async with connection.transaction():
            assert await progress.lock(connection, [NOTI]) == {NOTI: 5}
            await progress.advance(connection, [Advance("noti", 0, 15, accepted=8, dead=1, gaps=1)])
        again = Progress("ingest", "cluster-a")
        assert await again.open(connection, NOTI, first=0, end=100) == 15


@pytest.mark.parametrize(("cluster", "end"), [("cluster-b", 100), ("cluster-a", 3)], ids=["wiped", "made anew"])
async def test_other_records_begin_a_new_generation(database: str, cluster: str, end: int) -> None:
    async with await create_pool(database, "carillon_router") as pool, pool.acquire() as connection:
        before = Progress("router", "cluster-a")
        await before.open(connection, NOTI, first=0, end=10)
        await before.advance(connection, [Advance("noti", 0, 10, accepted=10)])
        after = Progress("router", cluster)
        assert await after.open(connection, NOTI, first=0, end=end) == 0
        await after.advance(connection, [Advance("noti", 0, 2, accepted=2)])
        rows = await connection.fetch("select generation, next_offset, accepted from progress order by generation")
        assert [tuple(row) for row in rows] == [(1, 10, 10), (2, 2, 2)]


async def test_the_lock_keeps_a_second_reader_waiting(database: str) -> None:
    async with (
        await create_pool(database, "carillon_router", lock_timeout="200ms") as pool,
        pool.acquire() as one,
        pool.acquire() as two,
    ):
        progress = Progress("router", "c")
        await progress.open(one, NOTI, first=0, end=0)
        async with one.transaction():
            await progress.lock(one, [NOTI])
            with pytest.raises(asyncpg.LockNotAvailableError):
                async with two.transaction():
                    await progress.lock(two, [NOTI])
