"""What a gateway says of its people, when the database is away or the others have given the gateway up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import pytest

from libs.schemas.records import GatewayRecord, PresenceChange, PresenceStatus
from services.gateway.domain.presence import Present, Roster
from services.gateway.errors import Retryable
from services.gateway.handlers.ephemerals import Publishing
from services.gateway.handlers.presence import PresenceReports, TenantSizes
from services.gateway.live_ports import Connected, GatewaySwept, Stats
from services.gateway.ports import Person, Room
from tests.unit.gateway.test_presence import change, session

pytestmark = pytest.mark.covers("F3-1", "S19")


class Store:
    """Presence in memory. `away`: nothing is answered; `swept`: the name that has been given up."""

    def __init__(self) -> None:
        self.away, self.swept = False, ""
        self.names: list[str] = []
        self.reported: list[tuple[str, list[Present]]] = []
        self.members = 1

    async def beat(self, gateway: str, *, new: bool, lease: float | None = None) -> bool:
        del lease
        if self.away:
            raise Retryable("away")
        if new:
            self.names.append(gateway)
        return gateway != self.swept

    async def report(self, gateway: str, people: Sequence[Present]) -> list[PresenceChange]:
        if self.away:
            raise Retryable("away")
        if gateway == self.swept:
            raise GatewaySwept(gateway)
        self.reported.append((gateway, list(people)))
        return [change(one.user_id, 1, "ONLINE" if one.sockets else "OFFLINE") for one in people]

    async def sweep(self, limit: int) -> list[PresenceChange]:
        del limit
        return []

    async def sizes(self, tenants: Iterable[str], limit: int) -> dict[str, int]:
        return dict.fromkeys(tenants, min(self.members, limit))

    async def choose(
        self, person: Person, status: PresenceStatus, custom: str | None, *, keep: bool
    ) -> list[PresenceChange]:
        raise NotImplementedError

    async def since(self, moments: Mapping[str, datetime], limit: int) -> list[tuple[PresenceChange, datetime]]:
        raise NotImplementedError

    async def stats(self, person: Person, users: Sequence[str] | None, limit: int) -> Stats:
        raise NotImplementedError

    async def sockets(self, person: Person, users: Sequence[str] | None, limit: int) -> list[Connected]:
        raise NotImplementedError


class Elsewhere:
    """Listens to everything in slot 1, and keeps what is published."""

    def __init__(self) -> None:
        self.published: list[GatewayRecord] = []

    async def register(self, slot: object, rooms: Sequence[Room], *, everything: bool = False) -> None:
        raise NotImplementedError

    async def withdraw(self, slot: object, rooms: Sequence[Room]) -> None:
        raise NotImplementedError

    async def listening(self, rooms: Sequence[Room]) -> dict[Room, list[int]]:
        return {room: [1] for room in rooms}

    def publish(self, record: GatewayRecord, slots: Sequence[int]) -> None:
        assert slots == [1]
        self.published.append(record)


def reports(store: Store, roster: Roster, elsewhere: Elsewhere) -> PresenceReports:
    sizes = TenantSizes(store, 1_000, lambda: 0.0)
    return PresenceReports(store, roster, sizes, Publishing(elsewhere, elsewhere, 0.0), "g", 10.0)


async def test_what_cannot_be_reported_is_reported_later() -> None:
    store, roster, elsewhere = Store(), Roster(10.0), Elsewhere()
    desk = reports(store, roster, elsewhere)
    roster.arrive(session("1"))
    await desk.flush()  # there is no heartbeat yet
    assert store.reported == []
    await desk.beat()
    store.away = True
    for _ in range(2):
        with pytest.raises(Retryable):
            await desk.flush()
    store.away = False
    await desk.flush()
    await desk.flush()
    assert store.reported == [("g#1", [Present("t", "u", 1)])]
    assert [record.kind for record in elsewhere.published] == ["presence"]


async def test_a_gateway_that_was_given_up_comes_back_under_another_name_with_all_its_people() -> None:
    store, roster, elsewhere = Store(), Roster(10.0), Elsewhere()
    desk = reports(store, roster, elsewhere)
    await desk.beat()
    roster.arrive(session("1", user_id="a"))
    await desk.flush()
    store.swept = "g#1"
    roster.arrive(session("2", user_id="b"))
    await desk.flush()
    await desk.beat()
    await desk.flush()
    assert store.names == ["g#1", "g#2"]
    name, people = store.reported[-1]
    assert (name, {one.user_id for one in people}) == ("g#2", {"a", "b"})


async def test_of_a_large_tenant_nobody_is_told() -> None:
    store, roster, elsewhere = Store(), Roster(10.0), Elsewhere()
    store.members = 5_000
    desk = reports(store, roster, elsewhere)
    await desk.beat()
    roster.arrive(session("1"))
    await desk.flush()
    assert len(store.reported) == 1
    assert elsewhere.published == []
