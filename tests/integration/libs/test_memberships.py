"""Membership intervals: opened by the directory and by claims, closed for good by the directory."""

from typing import Any

import pytest

from libs.postgres.pool import Connection, create_pool

pytestmark = pytest.mark.covers("S3", "S15")

OPEN = "select version from memberships_open($1, $2, $3, $4, $5)"
CLOSE = "select version from memberships_close($1, $2, $3)"


async def opened(connection: Connection, room: str, source: str, role: str | None = None) -> list[int]:
    rows = await connection.fetch(OPEN, ["t"], ["u"], [room], [role], source)
    return [row["version"] for row in rows]


async def intervals(connection: Connection) -> list[tuple[Any, ...]]:
    rows = await connection.fetch(
        "select role, source, joined_seq, left_seq from memberships where user_id = 'u' order by joined_at"
    )
    return [tuple(row) for row in rows]


async def test_opening_again_changes_nothing(database: str) -> None:
    async with await create_pool(database, "carillon_ingest") as pool, pool.acquire() as connection:
        assert await opened(connection, "org:o", "directory", "member") == [1]
        assert await opened(connection, "org:o", "directory", "member") == []
        assert await opened(connection, "org:o", "claim") == []
        assert await intervals(connection) == [("member", "directory", 0, None)]


async def test_a_new_role_hides_nothing_in_between(database: str) -> None:
    async with await create_pool(database, "carillon_ingest") as pool, pool.acquire() as connection:
        await opened(connection, "org:o", "directory", "member")
        await connection.execute("update room_heads set seq = 7 where room = 'org:o'")
        await opened(connection, "org:o", "directory", "admin")
        assert await intervals(connection) == [("member", "directory", 0, 7), ("admin", "directory", 7, None)]


async def test_whom_the_directory_removed_a_claim_does_not_bring_back(database: str) -> None:
    async with await create_pool(database, "carillon_ingest") as pool, pool.acquire() as connection:
        assert await opened(connection, "org:o", "claim") == [1]
        closed = await connection.fetch(CLOSE, ["t"], ["u"], ["org:o"])
        assert [row["version"] for row in closed] == [2]
        assert await opened(connection, "org:o", "claim") == []
        assert await opened(connection, "org:o", "directory") == [3]


async def test_many_at_once_raise_each_version_once(database: str) -> None:
    async with await create_pool(database, "carillon_gateway") as pool:
        rows = await pool.fetch(OPEN, ["t"] * 3, ["u", "u", "v"], ["tenant", "dept:d", "tenant"], [None] * 3, "claim")
        assert sorted(row["version"] for row in rows) == [1, 1]


async def test_one_member_of_a_room_is_found_without_reading_the_others(database: str) -> None:
    """As functions of the database ask: by a plan made before there were statistics of the table."""
    one = "select from memberships where tenant = $1 and user_id = $2 and room = $3 and left_at is null"
    async with await create_pool(database, "carillon_ingest") as pool, pool.acquire() as connection:
        await connection.execute("set plan_cache_mode = force_generic_plan")
        await connection.execute(f"prepare one(text, text, text) as {one}")
        plan = [row[0] for row in await connection.fetch("explain execute one('t', 'u', 'org:o')")]
    assert any("Index Cond" in line and "user_id" in line for line in plan), plan
