"""Every offset is accounted for: poison, offsets that were passed over, and stores that were set back."""

from __future__ import annotations

import pytest

from libs.schemas.records import AcceptedEvent
from tests.integration.router.composed import Router
from tests.integration.router.events import to
from tests.integration.router.system import System

pytestmark = pytest.mark.covers("B1", "B9")


def written(event: AcceptedEvent) -> bytes:
    return event.model_dump_json(by_alias=True).encode()


async def test_poison_is_set_aside_and_the_rest_goes_on(system: System, router: Router) -> None:
    good = [to("ada") for _ in range(9)]
    nul, surrogate = to("ada", data={"text": "a\x00b"}), to("ada", title="a\x00b")
    broken, large, empty = b"{", b"x" * 300_000, None
    number = written(to("ada")).replace(b'"data":null', b'"data":{"n":1180591620717411303424}')
    deep = written(to("ada")).replace(b'"data":null', b'"data":{"n":' + b"[" * 190 + b"]" * 190 + b"}")
    batch = await system.publish(*good[:3], nul, broken, *good[3:6], large, surrogate, empty, number, *good[6:])
    await router.handle(batch, await system.publish(deep, partition=2))
    assert (await system.log("user:ada"))[:9] == [event.id for event in good]
    letters = {(letter.code, letter.source.offset) for letter in await system.dead()}
    wanted = {("unstorable-value", 3), ("malformed-event", 4), ("event-too-large", 8), ("unstorable-value", 9)}
    assert letters >= wanted | {("malformed-event", 10), ("unstorable-value", 11)}
    assert (await system.counted())["accepted"] + (await system.counted())["dead"] == 16
    await system.adds_up()


async def test_poison_among_duplicates_of_itself(system: System, router: Router) -> None:
    nul, good = to("ada", title="a\x00b"), to("ada")
    await router.handle(await system.publish(nul, nul, good, nul))
    assert await system.log("user:ada") == [good.id]
    assert await system.counted() == {"accepted": 1, "duplicates": 0, "dead": 3, "gaps": 0}
    await system.adds_up()


async def test_offsets_that_were_passed_over_are_read_again(system: System, router: Router) -> None:
    events = [to("ada") for _ in range(12)]
    batch = await system.publish(*events)
    await router.handle(batch[:2])
    await router.handle(batch[5:7], batch[10:])
    assert await system.log("user:ada") == [event.id for event in events]
    assert await system.counted() == {"accepted": 12, "duplicates": 0, "dead": 0, "gaps": 0}
    await system.adds_up()


async def test_offsets_that_kafka_has_no_longer_are_gaps(system: System, router: Router) -> None:
    """Retention has taken what was never dealt with: nothing can be done, but it is counted and seen."""
    events = [to("ada") for _ in range(10)]
    batch = await system.publish(*events)
    await router.handle(batch[:2])
    await system.forget(batch[6])
    await router.handle(batch[8:])
    assert await system.log("user:ada") == [event.id for event in (*events[:2], *events[6:])]
    assert await system.counted() == {"accepted": 6, "duplicates": 0, "dead": 0, "gaps": 4}
    await system.adds_up()


async def test_progress_that_vanished_is_begun_again(system: System, router: Router) -> None:
    events = [to("ada") for _ in range(4)]
    batch = await system.publish(*events)
    await router.handle(batch[:2])
    await system.sql.execute("delete from progress")
    await router.handle(batch[2:])
    assert await system.log("user:ada") == [event.id for event in events]
    assert await system.counted() == {"accepted": 2, "duplicates": 2, "dead": 0, "gaps": 0}


async def test_a_database_that_was_set_back_gets_everything_again(system: System, router: Router) -> None:
    """The consumer group stands further than the database: as after a restore from a backup."""
    events = [to("ada") for _ in range(8)]
    batch = await system.publish(*events)
    await router.handle(batch[:6])
    await system.sql.execute("update progress set next_offset = start_offset + 2, accepted = 2")
    await system.sql.execute("delete from room_log where seq > 2")
    await system.sql.execute("update room_heads set seq = 2")
    await system.sql.execute("delete from notifications where id <> all($1)", [event.id for event in events[:2]])
    await router.handle(batch[6:])
    assert await system.log("user:ada") == [event.id for event in events]
    await system.adds_up()
