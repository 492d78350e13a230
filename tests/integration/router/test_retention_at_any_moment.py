"""However notifications stand in rooms, and whenever a purge ends: logs stay gap-free, and what goes is whole."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.covers("F2-8", "B9")

_ROOMS = ("user:a", "user:b", "org:o", "tenant")
_CLEAR = "truncate notifications, room_log, room_heads, deliveries, digests, purged_events"
_PLAN = """
insert into notifications (tenant, id, event, type, severity, metadata, audience, rooms, catalogue_version,
  decisions_planned, source, accepted_at, planned_at)
select 't', $1::uuid, 'service.event', 'x', 'info', '{}', '{}', $2,
  '1', cardinality($2::text[]) + $4, '{"topic": "http"}', now() - $3 * interval '1 day', now() - $3 * interval '1 day'
"""
_APPEND = """
with head as (
  insert into room_heads as h (tenant, room, seq) select 't', unnest($2::text[]), 1
  on conflict (tenant, room) do update set seq = h.seq + 1 returning room, seq
)
insert into room_log (tenant, room, seq, kind, at, notification)
select 't', room, seq, $3, now() - interval '100 days', $1::uuid from head
"""
_DELIVER = """
insert into deliveries (tenant, id, notification, user_id, channel, state, reason, lease_until)
select 't', gen_random_uuid(), $1, 'a', 'email', 'sending', 'x', case when $2 then now() + interval '1 hour' end
"""
_BROKEN = """
select h.room from room_heads h
left join (select room, count(*) as entries, min(seq) as first, max(seq) as last from room_log group by room) l
  on l.room = h.room
where coalesce(l.entries, 0) <> h.seq - h.floor or coalesce(l.first, h.floor + 1) <> h.floor + 1
  or coalesce(l.last, h.floor) <> h.seq
"""
_HALVED = """
select id from (
  select id, cardinality(rooms) as rooms, decisions_planned as planned, 0 as entries, 0 as sent from notifications
  union all select notification, 0, 0, 1, 0 from room_log where kind = 0
  union all select notification, 0, 0, 0, 1 from deliveries
) c group by id
having sum(rooms) <> sum(entries) or sum(planned) <> sum(entries) + sum(sent)
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A notification: in which rooms, how many days ago it was planned, and what became of it."""

    rooms: tuple[str, ...]
    days: int
    withdrawn: bool
    delivered: bool
    held: bool


TOLD = st.builds(
    Told,
    st.lists(st.sampled_from(_ROOMS), unique=True).map(lambda rooms: tuple(sorted(rooms, key=_ROOMS.index))),
    # Not in the order of the logs: transactions overlap, and some begin long before they end.
    st.integers(80, 100),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TOLD, max_size=14), st.lists(st.integers(1, 6), min_size=1, max_size=12))
def test_what_goes_is_whole_and_leaves_no_gap(database: str, told: list[Told], steps: list[int]) -> None:
    asyncio.run(_purged(database, told, steps))


async def _purged(dsn: str, told: list[Told], steps: list[int]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_CLEAR)
        for number, one in enumerate(told):
            await _write(connection, number, one)
        leased = sum(one.delivered and one.held for one in told)
        for rows in steps:
            await _step(connection, rows)
            await _holds(connection, told, leased)
        while any(await _step(connection, 5)):
            await _holds(connection, told, leased)
        await connection.execute("update deliveries set lease_until = null")
        while any(await _step(connection, 5)):
            await _holds(connection, told, 0)
        assert await _kept(connection) == _stays(told)
    finally:
        await connection.close()


async def _write(connection: asyncpg.Connection, number: int, one: Told) -> None:
    id_ = UUID(int=number)
    await connection.execute(_PLAN, id_, one.rooms, one.days, one.delivered)
    await connection.execute(_APPEND, id_, one.rooms, 0)
    if one.delivered:
        await connection.execute(_DELIVER, id_, one.held)
    if one.withdrawn:
        await connection.execute(_APPEND, id_, one.rooms, 1)


async def _step(connection: asyncpg.Connection, rows: int) -> tuple[int, ...]:
    row = await connection.fetchrow(
        "select * from purge_notifications('t', now() - interval '90 days 12 hours', $1)", rows
    )
    assert row is not None
    return tuple(row)


async def _holds(connection: asyncpg.Connection, told: list[Told], leased: int) -> None:
    assert await connection.fetch(_BROKEN) == []
    assert await connection.fetch(_HALVED) == []
    kept = await _kept(connection)
    assert {n for n, one in enumerate(told) if one.days <= 90} <= kept
    assert await connection.fetchval("select count(*) from deliveries where lease_until is not null") == leased
    assert await connection.fetchval("select coalesce(sum(events), 0) from purged_events") == len(told) - len(kept)


async def _kept(connection: asyncpg.Connection) -> set[int]:
    return {row[0].int for row in await connection.fetch("select id from notifications")}


def _stays(told: list[Told]) -> set[int]:
    """What is too young, and what stands behind something that stays in one of its rooms."""
    stays = {n for n, one in enumerate(told) if one.days <= 90}
    while more := {
        n
        for n, one in enumerate(told)
        if n not in stays and any(other < n and set(told[other].rooms) & set(one.rooms) for other in stays)
    }:
        stays |= more
    return stays
