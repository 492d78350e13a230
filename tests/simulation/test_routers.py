"""Two routers, crashes between any two effects, neighbours that do not answer, partitions that move: nothing is lost,
nothing is doubled. And routers that are wrong on purpose are found out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from libs.schemas.topics import FOLLOWS_HEADER
from services.router.domain.handover import DueDelivery, Emission, Handover, RoomKey
from services.router.domain.incoming import Record
from services.router.domain.notification import Key
from services.router.domain.offsets import Partition
from services.router.domain.planning import Plan
from services.router.handlers.batch import BatchHandler
from services.router.handlers.lanes import Following
from services.router.ports import Writing, Written
from tests.simulation.catalogue import What, event
from tests.simulation.checks import Published, check
from tests.simulation.database import Transaction
from tests.simulation.ledger import MemoryLedger
from tests.simulation.loop import run
from tests.simulation.routers import FAST, PARTITIONS, MakeLedger, TwoRouters
from tests.simulation.world import BEGINNING, Kind, Move, World

pytestmark = pytest.mark.covers("B1", "B4", "F2-8")


FAULTS: Sequence[Kind] = ("go", "fail", "crash", "move", "wait")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is published (place among PARTITIONS, number of the event; the same number twice is a duplicate), and what
    happens."""

    kinds: Sequence[tuple[What, str]]
    places: Sequence[tuple[int, int]]
    moves: Sequence[Move]
    batch: int
    skipping: int = 0


@st.composite
def scenarios(draw: st.DrawFn, moves: Sequence[Kind] = FAULTS, skipping: int = 0, least: int = 0) -> Scenario:
    what, user = st.sampled_from(get_args(What)), st.sampled_from(("ada", "bea"))
    events = draw(st.lists(st.tuples(what, user), min_size=1, max_size=8))
    partition = st.integers(0, len(PARTITIONS) - 1)
    places = [(draw(partition), number) for number in range(len(events))]
    again = draw(st.lists(st.tuples(partition, st.integers(0, len(events) - 1)), max_size=3))
    move = st.tuples(st.sampled_from(("go", "go", "go", *moves)), st.integers(0, 3))
    return Scenario(
        events, [*places, *again], draw(st.lists(move, min_size=least, max_size=80)), draw(st.integers(1, 4)), skipping
    )


def _publish(world: World, partition: Partition, number: int, value: bytes) -> None:
    """In the bulk lane it follows all that is in the fast lane, or a little less: tenants were diverted one by one."""
    headers = []
    if partition not in FAST:
        ends = [max(0, len(world.broker.partitions[fast]) - number % 3) for fast in FAST]
        headers.append((FOLLOWS_HEADER, ",".join(map(str, ends)).encode()))
    world.broker.append(partition[0], value, BEGINNING.timestamp(), partition[1], headers)


def simulate(
    scenario: Scenario,
    make_ledger: MakeLedger = MemoryLedger,
    batches: type[BatchHandler] = BatchHandler,
    following: type[Following] = Following,
) -> World:
    """Everything that happens, until nothing is left to do; raises AssertionError where something does not hold."""
    world = World(scenario.moves)
    for partition, number in scenario.places:
        what, user = scenario.kinds[number]
        _publish(world, PARTITIONS[partition], number, event(number, what, user))

    async def main() -> None:
        routers = TwoRouters(world, make_ledger, batches, following, batch=scenario.batch, skipping=scenario.skipping)
        world.routers = routers
        try:
            await world.finished.wait()
        finally:
            world.finished.set()
            await routers.end()

    with capture_logs() as lines:
        run(world.loop, main())
    assert not [line for line in lines if line["event"] == "work_failed"], "a fault that no neighbour has"
    check(world, Published({n: what for n, (what, _) in enumerate(scenario.kinds)}, scenario.places))
    return world


@given(scenarios())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_must_always_hold_holds(scenario: Scenario) -> None:
    simulate(scenario)


@given(scenarios((*FAULTS, "cancel")))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_must_always_hold_holds_when_events_are_cancelled(scenario: Scenario) -> None:
    simulate(scenario)


@given(scenarios(("fail", "move", "wait"), skipping=2))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_offsets_that_a_consumer_passed_over_are_read_again(scenario: Scenario) -> None:
    """Without crashes: what a consumer passed over and its router wrote before it died, is shown by a room's head."""
    simulate(scenario)


@pytest.mark.parametrize("gate", range(4))
def test_what_is_read_again_of_the_bulk_lane_waits_as_well(gate: int) -> None:
    """What was passed over may follow more than what came instead of it: another tenant published that."""
    events: list[tuple[What, str]] = [("plain", "ada")] * 5
    moves: list[Move] = [("move", 2)]
    moves += [("go", gate)] * 60
    simulate(Scenario(events, [(0, 0), (1, 1), (1, 2), (2, 3), (2, 4)], moves, batch=2, skipping=2))


@given(st.lists(st.tuples(st.sampled_from(("go", "go", "go", *FAULTS, "cancel")), st.integers(0, 3)), max_size=60))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_for_all_tenants_is_told_or_taken_back_in_all(moves: Sequence[Move]) -> None:
    events: list[tuple[What, str]] = [("everywhere", "ada"), ("plain", "bea")]
    simulate(Scenario(events, [(0, 0), (0, 1), (1, 0)], moves, batch=3))


def test_the_same_moves_lead_to_the_same_end() -> None:
    events: list[tuple[What, str]] = [("group", "ada"), ("throttled", "bea"), ("digested", "ada"), ("later", "bea")]
    moves: list[Move] = [("go", n % 4) for n in range(20)] + [("crash", 0), ("fail", 1), ("move", 1)]
    scenario = Scenario(events, [(n % 2, n) for n in range(4)], moves, batch=2)
    assert simulate(scenario).trace == simulate(scenario).trace


# Routers that are wrong on purpose ------------------------------------------------------------------------------------


class HandsOnLater(BatchHandler):
    """Lets the batch be acknowledged first, as if it could not die in between."""

    async def _hand_on(self, handover: Handover) -> None:
        self._later = asyncio.create_task(super()._hand_on(handover))


class AppendsWhatItReadsBack(MemoryLedger):
    """Takes every notification of its batch for one that it inserted."""

    def _fresh(self, plans: Sequence[Plan], inserted: set[Key]) -> list[Plan]:
        return list(plans)


class ForgetsWhatWasWritten(MemoryLedger):
    """Hands on only what its own transaction wrote."""

    async def read_back(self, keys: Collection[Key]) -> tuple[list[Emission], list[DueDelivery]]:
        return [], []


class CountsWithoutALock(MemoryLedger):
    """Two routers count the same offsets at the same time."""

    async def _lock_progress(self, transaction: Transaction, partitions: Sequence[Partition]) -> None:
        return None


class NumbersWithoutALock(MemoryLedger):
    """Two routers give the same seq."""

    async def _advance_heads(
        self, transaction: Transaction, heads: Sequence[tuple[RoomKey, int]]
    ) -> dict[RoomKey, int]:
        added = {room: transaction.get("room_heads", room, 0) + count for room, count in heads}
        for room, head in added.items():
            transaction.put("room_heads", room, head)
        return added


class ShowsBeforeItCommits(MemoryLedger):
    """Takes what it wrote for committed when the answer is late."""

    async def write(self, writing: Writing) -> Written:
        async with self._world.database.transaction() as transaction:
            written = await self._write(transaction, writing)
            try:
                await self._process.effect("commit")
            except ConnectionError:
                transaction.written.clear()
        return written


class FollowsNothing(Following):
    """Lets what tenants published over their share be dealt with at once."""

    async def __call__(self, records: Sequence[Record]) -> None:
        return None


@pytest.mark.parametrize(
    "wrong",
    [
        AppendsWhatItReadsBack,
        ForgetsWhatWasWritten,
        CountsWithoutALock,
        NumbersWithoutALock,
        ShowsBeforeItCommits,
    ],
)
def test_a_ledger_that_is_wrong_is_found_out(wrong: MakeLedger) -> None:
    found_out(make_ledger=wrong)


def test_a_router_that_acknowledges_first_is_found_out() -> None:
    found_out(batches=HandsOnLater)


def test_a_bulk_lane_that_follows_nothing_is_found_out() -> None:
    found_out(following=FollowsNothing)


def found_out(
    make_ledger: MakeLedger = MemoryLedger,
    batches: type[BatchHandler] = BatchHandler,
    following: type[Following] = Following,
) -> None:
    """Fails when no scenario shows what is wrong."""

    @given(scenarios(least=40))
    @settings(
        max_examples=1_000,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    def attempt(scenario: Scenario) -> None:
        simulate(scenario, make_ledger, batches, following)

    with pytest.raises(AssertionError):
        attempt()
