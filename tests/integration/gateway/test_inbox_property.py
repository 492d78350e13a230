"""The inbox, the unread count and brute force agree, over random histories of memberships, reads and deletions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from libs.schemas.records import NotificationEmission
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.inbox import PostgresInbox
from services.gateway.domain.access import Interval, Memberships, Readable, Span, readable
from services.gateway.domain.inbox import Filters, Place, Reader, reader
from tests.integration.gateway.scribe import Scribe
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("F0-6")

GROUPS = ("dept:d", "role:r", "org:o", "org:p", "tenant")
ROOMS = ("user:me", "user:other", *GROUPS)
TENANT = "t"

steps = st.one_of(
    st.tuples(st.just("publish"), st.sets(st.sampled_from(ROOMS), min_size=1, max_size=4)),
    st.tuples(st.just("publish"), st.sets(st.sampled_from(ROOMS), min_size=1, max_size=4)),
    st.tuples(st.just("join"), st.sampled_from(GROUPS)),
    st.tuples(st.just("leave"), st.sampled_from(GROUPS)),
    st.tuples(st.just("claim"), st.sampled_from(("org:p", "tenant", "role:r"))),
    st.tuples(st.sampled_from(("read", "unread", "deleted")), st.integers(0, 60)),
    st.tuples(st.just("read_all"), st.none() | st.dictionaries(st.sampled_from(ROOMS), st.integers(0, 12), max_size=3)),
    st.tuples(st.just("token"), st.sets(st.sampled_from(("org:p", "role:r")))),
)


@dataclass
class Model:
    """What should be, by brute force. Every set of claims that the person's token may make is looked at."""

    records: list[NotificationEmission] = field(default_factory=list)
    read: dict[UUID, bool] = field(default_factory=dict)
    deleted: set[UUID] = field(default_factory=set)
    watermarks: dict[str, int] = field(default_factory=dict)

    def inbox(self, access: Readable) -> dict[UUID, bool]:
        """Whether each notification of the inbox is unread."""
        homes = {r.id: access.home(r.rooms) for r in self.records if r.id not in self.deleted}
        return {r.id: self._unread(r, home) for r in self.records if (home := homes.get(r.id)) is not None}

    def _unread(self, record: NotificationEmission, home: str) -> bool:
        seq = next(place.seq for place in record.rooms if place.room == home)
        return not self.read.get(record.id, seq <= self.watermarks.get(home, 0))

    def read_all(self, access: Readable, ends: dict[str, int], seen: dict[str, int] | None) -> None:
        wanted = ends if seen is None else {room: min(seq, ends[room]) for room, seq in seen.items() if room in ends}
        for room, seq in wanted.items():
            self.watermarks[room] = max(seq, self.watermarks.get(room, 0))
        for record in self.records:
            home = access.home(record.rooms)
            marked_unread = self.read.get(record.id) is False and record.id not in self.deleted
            if home in wanted and marked_unread:
                seq = next(place.seq for place in record.rooms if place.room == home)
                if seq <= wanted[home]:
                    self.read[record.id] = True


@pytest.fixture
async def scribe(database: str, kafka_bootstrap: str) -> AsyncIterator[Scribe]:
    async with Scribe(database, kafka_bootstrap, "") as one:
        yield one


async def intervals(scribe: Scribe, user: str) -> Memberships:
    rows = await scribe.pool.fetch("select * from memberships where tenant = $1 and user_id = $2", TENANT, user)
    found = [Interval(r["room"], Span(r["joined_seq"], r["left_seq"]), r["source"]) for r in rows]
    return Memberships(1, tuple(found))


@dataclass
class Story:
    """One history, told to the database and to the model alike."""

    scribe: Scribe
    inbox: PostgresInbox
    user: str
    model: Model = field(default_factory=Model)
    claims: frozenset[str] = frozenset()

    def mine(self, room: str) -> str:
        """Rooms of this story alone, so that stories may share a database."""
        return "user:" + self.user if room == "user:me" else room if room == "tenant" else f"{room}-{self.user}"

    async def who(self) -> tuple[Reader, Readable]:
        orgs = tuple(c.partition(":")[2] for c in map(self.mine, self.claims) if c.startswith("org:"))
        roles = tuple(c.partition(":")[2] for c in map(self.mine, self.claims) if c.startswith("role:"))
        token = identity(tenant=TENANT, user_id=self.user, org_ids=orgs, roles=roles)
        return reader(token), readable(token, await intervals(self.scribe, self.user))

    async def step(self, verb: str, what: Any) -> None:
        match verb:
            case "publish":
                record = await self.scribe.write(*map(self.mine, what), tenant=TENANT)
                self.model.records.append(record)
            case "join":
                await self.scribe.members(self.mine(what), self.user, tenant=TENANT)
            case "leave":
                await self.scribe.dismiss(self.mine(what), self.user, tenant=TENANT)
            case "claim":
                arguments = [[TENANT], [self.user], [self.mine(what)], [None]]
                await self.scribe.pool.execute("select memberships_open($1, $2, $3, $4, 'claim')", *arguments)
            case "token":
                self.claims = frozenset(what)
            case "read_all":
                await self._read_all(what)
            case _:
                await self._mark(verb, what)

    async def _mark(self, verb: Any, number: int) -> None:
        if not self.model.records:
            return
        record = self.model.records[number % len(self.model.records)]
        who, access = await self.who()
        done = await self.inbox.mark(who, record.id, verb, utc_now())
        inbox = self.model.inbox(access)
        assert (done is None) == (record.id not in inbox)
        if done is None:
            return
        assert (done[1] is None) == (verb != "deleted" and inbox[record.id] == (verb == "unread"))
        if verb == "deleted":
            self.model.deleted.add(record.id)
        elif done[1] is not None:
            self.model.read[record.id] = verb == "read"

    async def _read_all(self, seen: dict[str, int] | None) -> None:
        who, access = await self.who()
        named = None if seen is None else {self.mine(room): seq for room, seq in seen.items()}
        before = sum(self.model.inbox(access).values())
        ends = {}
        for room in access.all_rooms():
            head = await self.scribe.value("select seq from room_heads where tenant = $1 and room = $2", TENANT, room)
            span = access.last(room)
            if head is not None and span is not None:
                ends[room] = head if span.until is None else min(head, span.until)
        count, _ = await self.inbox.read_all(who, named, utc_now())
        self.model.read_all(access, ends, named)
        assert count == before - sum(self.model.inbox(access).values())

    async def check(self) -> None:
        for claims in (frozenset[str](), frozenset({"org:p"}), frozenset({"org:p", "role:r"})):
            self.claims = claims
            who, access = await self.who()
            expected = self.model.inbox(access)
            listed = await self._listed(who, Filters())
            assert {row["id"]: not row["read"] for row in listed} == expected
            assert len(listed) == len(expected)
            unread = await self._listed(who, Filters(unread=True))
            assert {row["id"] for row in unread} == {n for n, is_unread in expected.items() if is_unread}
            assert await self.inbox.unread_count(who) == len(unread)

    async def _listed(self, who: Reader, filters: Filters) -> list[Any]:
        """Page by page."""
        rows: list[Any] = []
        after: Place | None = None
        while True:
            page = await self.inbox.page(who, filters, 3, 0, after)
            rows += page[:3]
            if len(page) <= 3:
                break
            after = Place(page[2]["at"], page[2]["room"], page[2]["seq"])
        order = [(_newest(row["at"]), row["room"], -row["seq"]) for row in rows]
        assert order == sorted(order)
        return rows


def _newest(at: datetime) -> float:
    return -at.timestamp()


async def test_inbox_unread_count_and_brute_force_agree(scribe: Scribe, database: str) -> None:
    pool = await create_pool(database, "carillon_gateway", min_size=1, max_size=2)
    loop, number = asyncio.get_running_loop(), 0

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(steps, max_size=40))
    def holds(history: list[tuple[str, Any]]) -> None:
        nonlocal number
        number += 1
        asyncio.run_coroutine_threadsafe(tell(history, f"me{number}"), loop).result(60)

    async def tell(history: list[tuple[str, Any]], user: str) -> None:
        story = Story(scribe, PostgresInbox(Database(pool)), user)
        for verb, what in history:
            await story.step(verb, what)
        await story.check()

    await asyncio.to_thread(holds)
    await pool.close()
