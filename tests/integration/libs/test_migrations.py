"""The schema is brought up to date once, and says when history was edited; row-level security holds by itself."""

import asyncpg
import pytest

from libs.postgres import migrations
from libs.postgres.pool import create_pool

pytestmark = pytest.mark.covers("F2-4")


async def test_a_second_run_has_nothing_to_do(empty_database: str) -> None:
    assert await migrations.migrate(empty_database)
    assert await migrations.migrate(empty_database) == []


async def test_an_edited_migration_is_refused(empty_database: str) -> None:
    await migrations.migrate(empty_database)
    connection = await asyncpg.connect(empty_database)
    await connection.execute("update schema_migrations set checksum = 'other' where name = '0001_core.sql'")
    await connection.close()
    with pytest.raises(migrations.ChangedMigration, match="0001_core"):
        await migrations.migrate(empty_database)


async def test_the_gateway_sees_only_the_tenant_and_reader_that_it_names(database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("insert into users (tenant, user_id) values ('a', 'u'), ('b', 'u')")
    await owner.execute("insert into user_heads (tenant, user_id) values ('a', 'u'), ('a', 'v'), ('b', 'u')")
    await owner.close()
    async with await create_pool(database, "carillon_gateway") as pool, pool.acquire() as connection:
        assert await connection.fetch("select * from users") == []
        async with connection.transaction():
            await connection.execute(
                "select set_config('carillon.tenant', 'a', true), set_config('carillon.reader', 'u', true)"
            )
            assert [row["tenant"] for row in await connection.fetch("select tenant from users")] == ["a"]
            assert len(await connection.fetch("select * from user_heads")) == 1
        assert await connection.fetch("select * from user_heads") == []
