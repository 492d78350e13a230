"""The inbox, its counts and brute force agree, over random histories of all that can happen to an inbox (B12, S12)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from libs.schemas.preferences import Preferences, TenantPreferences
from libs.schemas.records import NotificationEmission
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.inbox import PostgresInbox
from services.gateway.adapters.postgres.preferences import PostgresPreferences
from services.gateway.domain.access import Interval, Memberships, Readable, Span, readable
from services.gateway.domain.inbox import Filters, Place, Reader, reader
from services.gateway.domain.marks import Action
from tests.integration.gateway.scribe import Scribe
from tests.unit.gateway.test_access import identity
from tests.vault import vault

pytestmark = pytest.mark.covers("F0-6", "B12", "S12", "F2-1")

GROUPS = ("dept:d", "role:r", "org:o", "org:p", "tenant")
ROOMS = ("user:me", "user:other", *GROUPS)
TYPES = ("a", "b")
TENANT = "t"
HOUR = timedelta(hours=1)
MARKS = ("read", "unread", "seen", "archived", "unarchived", "snoozed", "unsnoozed", "deleted")

rooms = st.sets(st.sampled_from(ROOMS), min_size=1, max_size=4)
positions = st.none() | st.dictionaries(st.sampled_from(ROOMS), st.integers(0, 12), max_size=3)
publish = st.tuples(st.just("publish"), st.tuples(rooms, st.sampled_from(TYPES), st.sampled_from((None, None, 1, 3))))
says = st.dictionaries(st.sampled_from(TYPES), st.booleans())  # hidden; else wanted, or of a tenant always shown
steps = st.one_of(
    publish,
    publish,
    publish,
    st.tuples(st.just("join"), st.sampled_from(GROUPS)),
    st.tuples(st.just("leave"), st.sampled_from(GROUPS)),
    st.tuples(st.just("claim"), st.sampled_from(("org:p", "tenant", "role:r"))),
    st.tuples(st.sampled_from(MARKS), st.lists(st.integers(0, 60), min_size=1, max_size=3)),
    st.tuples(st.just("matching"), st.tuples(st.sampled_from(MARKS), st.sampled_from(TYPES), positions)),
    st.tuples(st.sampled_from(("read_all", "seen_all", "cleared")), positions),
    st.tuples(st.just("withdraw"), st.integers(0, 60)),
    st.tuples(st.just("replace"), st.tuples(st.integers(0, 60), rooms)),
    st.tuples(st.just("mute"), says),
    st.tuples(st.just("tenant mutes"), says),
    st.tuples(st.just("wait"), st.integers(1, 2)),
    st.tuples(st.just("wake"), st.none()),
    st.tuples(st.just("token"), st.sets(st.sampled_from(("org:p", "role:r")))),
)

# A mark of unread below the watermark is counted apart from all others.
ONE = ("publish", ({"user:me"}, "a", None))
MARKED_UNREAD = (("read_all", None), ("unread", [0]))


@dataclass
class One:
    """A notification as brute force knows it."""

    record: NotificationEmission
    expires_at: datetime | None
    muted: bool
    read: bool | None = None
    seen: bool = False
    archived: bool = False
    snoozed_until: datetime | None = None
    gone: bool = False  # deleted
    withdrawn_in: set[str] = field(default_factory=set)

    def seq(self, room: str) -> int:
        return next(place.seq for place in self.record.rooms if place.room == room)


@dataclass
class Model:
    """What should be. Every set of claims that the person's token may make is looked at."""

    now: datetime = field(default_factory=utc_now)
    all: list[One] = field(default_factory=list)
    read_to: dict[str, int] = field(default_factory=dict)
    seen_to: dict[str, int] = field(default_factory=dict)
    cleared_to: dict[str, int] = field(default_factory=dict)
    own: Mapping[str, bool] = field(default_factory=dict)
    of_tenant: Mapping[str, bool] = field(default_factory=dict)

    def mutes(self, type_: str) -> bool:
        """Whether what comes now is hidden."""
        own, of_tenant = self.own.get(type_), self.of_tenant.get(type_)
        return False if of_tenant is False else bool(of_tenant if own is None else own)

    def theirs(self, access: Readable) -> dict[UUID, tuple[One, str]]:
        """What may be marked, with its room: also what is archived, snoozed or muted."""
        found = {}
        for one in self.all:
            home = access.home(one.record.rooms)
            over = one.expires_at is not None and one.expires_at <= self.now
            if home is None or home in one.withdrawn_in:
                continue
            if not one.gone and not over and one.seq(home) > self.cleared_to.get(home, 0):
                found[one.record.id] = (one, home)
        return found

    def listed(self, access: Readable, *, archived: bool = False, snoozed: bool = False) -> dict[UUID, tuple[One, str]]:
        """What a list holds."""
        return {
            key: (one, home)
            for key, (one, home) in self.theirs(access).items()
            if not one.muted and one.archived == archived and self.is_snoozed(one) == snoozed
        }

    def is_snoozed(self, one: One) -> bool:
        return one.snoozed_until is not None and one.snoozed_until > self.now

    def is_unread(self, one: One, home: str) -> bool:
        return not (one.seq(home) <= self.read_to.get(home, 0) if one.read is None else one.read)

    def is_unseen(self, one: One, home: str) -> bool:
        return not (one.seen or one.seq(home) <= self.seen_to.get(home, 0))

    def unread(self, access: Readable) -> set[UUID]:
        return {key for key, (one, home) in self.listed(access).items() if self.is_unread(one, home)}

    def mark(self, access: Readable, ids: list[UUID], operation: str, until: datetime) -> int:
        """How many changed."""
        theirs = self.theirs(access)
        return sum(self._mark(*theirs[key], operation, until) for key in dict.fromkeys(ids) if key in theirs)

    def _mark(self, one: One, home: str, operation: str, until: datetime) -> bool:
        unread, unseen = self.is_unread(one, home), self.is_unseen(one, home)
        before = (one.read, one.archived, one.snoozed_until)
        match operation:
            case "read" if unread:
                one.read, one.seen = True, True
            case "unread" if not unread:
                one.read = False
            case "seen" if unseen:
                one.seen = True
            case "archived" if not one.archived:
                one.archived, one.snoozed_until = True, None
            case "unarchived" if one.archived:
                one.archived = False
            case "snoozed" if before != (False, False, until):
                one.read, one.archived, one.snoozed_until = False, False, until
            case "unsnoozed" if self.is_snoozed(one):
                one.snoozed_until = None
            case "deleted":
                one.gone = True
            case _:
                return False
        return True

    def move(self, access: Readable, operation: str, wanted: dict[str, int]) -> None:
        if operation == "read_all":
            for one in self.all:
                home = access.home(one.record.rooms)
                if home in wanted and one.read is False and not one.gone and one.seq(home) <= wanted[home]:
                    one.read, one.seen = (one.read, one.seen) if self.is_snoozed(one) else (True, True)
        raised = {"read_all": [self.read_to, self.seen_to], "seen": [self.seen_to], "cleared": [self.cleared_to]}
        for marks in raised[operation]:
            marks.update({room: max(seq, marks.get(room, 0)) for room, seq in wanted.items()})


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
    preferences: PostgresPreferences
    user: str
    model: Model = field(default_factory=Model)
    claims: frozenset[str] = frozenset()
    version: int = 0

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
                await self._publish(*what)
            case "join":
                await self.scribe.members(self.mine(what), self.user, tenant=TENANT)
            case "leave":
                await self.scribe.dismiss(self.mine(what), self.user, tenant=TENANT)
            case "claim":
                arguments = [[TENANT], [self.user], [self.mine(what)], [None]]
                await self.scribe.pool.execute("select memberships_open($1, $2, $3, $4, 'claim')", *arguments)
            case "token":
                self.claims = frozenset(what)
            case _:
                await self._act(verb, what)

    async def _act(self, verb: str, what: Any) -> None:
        match verb:
            case "read_all" | "seen_all" | "cleared":
                await self._move(verb, what)
            case "withdraw" if self.model.all:
                one = self.model.all[what % len(self.model.all)]
                await self.scribe.withdraw(one.record)
                one.withdrawn_in |= {place.room for place in one.record.rooms}
            case "replace" if self.model.all:
                one = self.model.all[what[0] % len(self.model.all)]
                rooms = {self.mine(room) for room in what[1]} & {place.room for place in one.record.rooms}
                await self.scribe.withdraw(one.record, rooms)
                one.withdrawn_in |= rooms
            case "mute":
                await self._mute(what)
            case "tenant mutes":
                await self.mute_of_tenant(what)
            case "wait":
                self.model.now += what * HOUR
            case "wake":
                await self._wake()
            case "matching":
                await self._matching(*what)
            case _ if self.model.all:
                ids = [self.model.all[number % len(self.model.all)].record.id for number in what]
                await self._mark(verb, ids)

    async def _publish(self, where: set[str], type_: str, hours: int | None) -> None:
        expires = None if hours is None else self.model.now + hours * HOUR
        record = await self.scribe.write(*map(self.mine, where), tenant=TENANT, type=type_, expires_at=expires)
        self.model.all.append(One(record, expires, muted=self.model.mutes(type_)))

    async def _mute(self, says: Mapping[str, bool]) -> None:
        who, _ = await self.who()
        replaced = await self.preferences.replace(who, Preferences(), says, self.version)
        assert replaced is not None
        assert (replaced[1] is not None) == (says != self.model.own)
        self.version, self.model.own = replaced[0].number, says

    async def mute_of_tenant(self, says: Mapping[str, bool]) -> None:
        before = await self.preferences.of_tenant(TENANT)
        assert await self.preferences.replace_of_tenant(TENANT, TenantPreferences(), says, before.number)
        assert not await self.preferences.replace_of_tenant(TENANT, TenantPreferences(), {}, before.number)
        self.model.of_tenant = says

    async def _mark(self, verb: Any, ids: list[UUID]) -> None:
        who, access = await self.who()
        theirs, until = self.model.theirs(access), self.model.now + HOUR
        found, changes = await self.inbox.mark(
            who, ids, Action(verb, until if verb == "snoozed" else None), self.model.now
        )
        assert found == set(ids) & set(theirs)
        assert len(changes) == self.model.mark(access, ids, verb, until)
        assert [c.seq for c in changes] == list(range(changes[0].seq, changes[0].seq + len(changes)) if changes else [])

    async def _matching(self, verb: Any, type_: str, seen: dict[str, int] | None) -> None:
        who, access = await self.who()
        until = self.model.now + HOUR
        named = await self._named(access, seen)
        fitting = [
            key
            for key, (one, home) in self.model.listed(access).items()
            if one.record.type == type_ and (seen is None or one.seq(home) <= named.get(home, 0))
        ]
        given = None if seen is None else {self.mine(room): seq for room, seq in seen.items()}
        action = Action(verb, until if verb == "snoozed" else None)
        changes, more = await self.inbox.mark_matching(who, Filters(types=(type_,)), given, action, 100, self.model.now)
        assert not more
        assert len(changes) == self.model.mark(access, fitting, verb, until)

    async def _named(self, access: Readable, seen: dict[str, int] | None) -> dict[str, int]:
        """What positions mean: those that are named, never past the end of what may be read; the ends, if none are."""
        ends = {}
        for room in access.all_rooms():
            head = await self.scribe.value("select seq from room_heads where tenant = $1 and room = $2", TENANT, room)
            span = access.last(room)
            if head is not None and span is not None:
                ends[room] = head if span.until is None else min(head, span.until)
        if seen is None:
            return ends
        return {self.mine(r): min(seq, ends[self.mine(r)]) for r, seq in seen.items() if self.mine(r) in ends}

    async def _move(self, verb: str, seen: dict[str, int] | None) -> None:
        who, access = await self.who()
        operation: Any = "seen" if verb == "seen_all" else verb
        given = None if seen is None else {self.mine(room): seq for room, seq in seen.items()}
        before = len(self.model.unread(access))
        count, _ = await self.inbox.move(who, operation, given, self.model.now)
        self.model.move(access, operation, await self._named(access, seen))
        assert count == before - len(self.model.unread(access))

    async def _wake(self) -> None:
        woken = {c.notification_id for c in await self.inbox.wake(1_000, self.model.now) if c.user_id == self.user}
        due = [one for one in self.model.all if one.snoozed_until is not None and one.snoozed_until <= self.model.now]
        assert woken == {one.record.id for one in due}
        for one in due:
            one.snoozed_until = None

    async def check(self) -> None:
        for claims in (frozenset[str](), frozenset({"org:p"}), frozenset({"org:p", "role:r"})):
            self.claims = claims
            who, access = await self.who()
            for archived, snoozed in ((False, False), (True, False), (False, True)):
                expected = self.model.listed(access, archived=archived, snoozed=snoozed)
                rows = await self._listed(who, Filters(archived=archived, snoozed=snoozed))
                assert {row["id"] for row in rows} == set(expected)
                assert len(rows) == len(expected)
                for row in rows:
                    assert row["read"] != self.model.is_unread(*expected[row["id"]])
                    assert row["seen"] != self.model.is_unseen(*expected[row["id"]])
            await self._check_counts(who, access)

    async def _check_counts(self, who: Reader, access: Readable) -> None:
        unread = self.model.unread(access)
        assert {row["id"] for row in await self._listed(who, Filters(unread=True))} == unread
        assert await self.inbox.unread_count(who, self.model.now) == len(unread)
        listed = self.model.listed(access)
        expected = {}
        for type_ in TYPES:
            unseen = [
                k for k, (one, home) in listed.items() if one.record.type == type_ and self.model.is_unseen(one, home)
            ]
            of_type = [key for key in unread if listed[key][0].record.type == type_]
            if of_type or unseen:
                expected[type_] = (len(of_type), len(unseen))
        assert {c.type: (c.unread, c.unseen) for c in await self.inbox.counts(who, self.model.now)} == expected
        for row in await self._listed(who, Filters()):
            one = await self.inbox.one(who, row["id"], self.model.now)
            assert one is not None
            same = ("read", "seen", "room", "seq", "archived_at", "snoozed_until")
            assert [one[column] for column in same] == [row[column] for column in same]

    async def _listed(self, who: Reader, filters: Filters) -> list[Any]:
        """Page by page."""
        rows: list[Any] = []
        after: Place | None = None
        while True:
            page = await self.inbox.page(who, filters, 3, 0, after, self.model.now)
            rows += page[:3]
            if len(page) <= 3:
                break
            after = Place(page[2]["at"], page[2]["room"], page[2]["seq"])
        order = [(-row["at"].timestamp(), row["room"], -row["seq"]) for row in rows]
        assert order == sorted(order)
        return rows


async def test_inbox_counts_and_brute_force_agree(scribe: Scribe, database: str) -> None:
    pool = await create_pool(database, "carillon_gateway", min_size=1, max_size=2)
    loop, number = asyncio.get_running_loop(), 0

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(steps, min_size=10, max_size=40))
    @example([ONE, *MARKED_UNREAD, ("cleared", None)])
    @example([("mute", {"a": True}), ONE, *MARKED_UNREAD])
    @example([("tenant mutes", {"a": True}), ONE, ("mute", {"a": False}), ONE, *MARKED_UNREAD])
    @example([("mute", {"a": True}), ("tenant mutes", {"a": False}), ONE, ("tenant mutes", {}), ONE])
    @example([ONE, *MARKED_UNREAD, ("archived", [0])])
    @example([ONE, *MARKED_UNREAD, ("withdraw", 0)])
    @example([("publish", ({"user:me", "user:other"}, "a", None)), ("replace", (0, {"user:other"}))])
    @example([("publish", ({"user:me", "user:other"}, "a", None)), *MARKED_UNREAD, ("replace", (0, {"user:me"}))])
    @example([("publish", ({"user:me"}, "a", 1)), *MARKED_UNREAD, ("wait", 2)])
    @example([ONE, ("snoozed", [0]), ("read_all", None), ("wait", 2)])
    @example([ONE, *MARKED_UNREAD, ("snoozed", [0])])
    def holds(history: list[tuple[str, Any]]) -> None:
        nonlocal number
        number += 1
        asyncio.run_coroutine_threadsafe(tell(history, f"me{number}"), loop).result(60)

    async def tell(history: list[tuple[str, Any]], user: str) -> None:
        connected = Database(pool)
        story = Story(scribe, PostgresInbox(connected, vault()), PostgresPreferences(connected), user)
        await story.mute_of_tenant({})  # what the story before left
        for verb, what in history:
            await story.step(verb, what)
        await story.check()

    await asyncio.to_thread(holds)
    await pool.close()
