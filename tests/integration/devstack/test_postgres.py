"""The embedded database server: committed rows survive crashes, databases are made from templates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from devstack.postgres import EmbeddedPostgres, Shutdown
from devstack.postgres_address import PostgresAddress


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    postgres.start()
    yield postgres
    postgres.kill()


async def test_committed_rows_survive_a_crash_and_open_transactions_do_not(own_postgres: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(own_postgres.dsn())
    await connection.execute("create table kept (what text); insert into kept values ('committed')")
    await connection.execute("begin; insert into kept values ('open')")
    own_postgres.kill()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("select 1")
    connection.terminate()
    await asyncio.to_thread(own_postgres.start)
    assert own_postgres.address.execute("select what from kept") == "committed"


@pytest.mark.parametrize("how", Shutdown)
def test_rows_survive_every_kind_of_restart(own_postgres: EmbeddedPostgres, how: Shutdown) -> None:
    own_postgres.address.execute("create table kept as select 7 as number")
    own_postgres.restart(how)
    assert own_postgres.address.execute("select number from kept") == "7"


def test_case_rules_go_beyond_ascii(postgres_server: PostgresAddress) -> None:
    assert postgres_server.execute("select lower('ÄÖÉ'), 'ä' ~* 'Ä'") == "äöé|t"


def test_a_database_is_copied_from_its_template_and_dropped_under_connections(postgres_server: PostgresAddress) -> None:
    async def copy_and_drop() -> None:
        postgres_server.create_database("origin")
        postgres_server.execute("create table kept as select 7 as number", "origin")
        connection = await asyncpg.connect(postgres_server.create_database("copy", template="origin"))
        assert await connection.fetchval("select number from kept") == 7
        for name in ("copy", "origin"):
            postgres_server.drop_database(name)
            assert not postgres_server.has_database(name)
        connection.terminate()

    asyncio.run(copy_and_drop())


async def test_every_test_has_a_migrated_database_of_its_own(database: str, empty_database: str) -> None:
    assert await _tables(database) > 0
    assert await _tables(empty_database) == 0


async def _tables(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("select count(*) from pg_tables where schemaname !~ '^(pg_|information)'"))
    finally:
        await connection.close()
