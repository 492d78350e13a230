"""Event streams: frames, positions as ids, bounds, and what counts as taken (F4-3, S8)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.adapters.event_streams import KIND, EventStreams
from services.gateway.domain.event_stream import body, event_id, framed, moved, position_of

pytestmark = pytest.mark.covers("F4-3", "S8")

NOW = datetime(2025, 10, 17, tzinfo=UTC)


def streams(buffer: int = 10_000, heartbeat: float = 60.0, cleanup: float = 60.0) -> EventStreams:
    return EventStreams(heartbeat, cleanup, buffer, lambda: NOW)


@given(st.dictionaries(st.text(), st.lists(st.integers(0, 2**53), min_size=2, max_size=2)))
def test_an_id_leads_back_to_its_position(position: dict[str, list[int]]) -> None:
    text = event_id(position)
    assert position_of(text) == position
    assert text.isascii()
    assert "\n" not in text


@given(st.text())
def test_any_text_is_a_value_or_none(text: str) -> None:
    position_of(text)


def test_the_position_follows_what_is_told() -> None:
    one = moved({}, {"position": {"user:u": [7, 1], "state": [3, 0]}})
    assert one == {"user:u": [7, 1], "state": [3, 0]}
    assert moved(one, {"position": {"room": "user:u", "epoch": 7, "seq": 2}}) == {"user:u": [7, 2], "state": [3, 0]}
    assert moved(one, {"timestamp": "x"}) is None


def test_a_frame_says_when_to_come_back() -> None:
    frame = framed(body("serverClosing", {"reconnectInMs": 700}), "abc")
    assert frame == b'retry: 700\nevent: serverClosing\ndata: {"reconnectInMs":700}\nid: abc\n\n'


async def test_what_comes_at_once_is_taken_at_once_and_then_the_stream_ends() -> None:
    those = streams()
    stream = those.opened("s", {})
    for number in range(3):
        those.emit(KIND, ["s", "gone"], "x", {"n": number})
    those.drop(KIND, "s")
    chunks = [chunk async for chunk in those.frames(stream)]
    assert len(chunks) == 1
    assert chunks[0].count(b"event: x") == 3


async def test_a_stream_that_does_not_take_is_cut() -> None:
    those = streams(buffer=1_000)
    stream = those.opened("s", {})
    for _ in range(50):
        those.emit(KIND, ["s"], "x", {"text": "y" * 50})
    assert stream.ended
    assert [chunk async for chunk in those.frames(stream)] == []


async def test_a_stream_that_takes_nothing_for_long_is_ended() -> None:
    patient, strict = streams(), streams(heartbeat=0.0, cleanup=0.001)
    kept, cut = patient.opened("s", {}), strict.opened("s", {})
    async with asyncio.timeout(5):
        while not cut.ended:
            await asyncio.sleep(0)
            await patient.sweep()
            await strict.sweep()
    assert not kept.ended


async def test_what_was_before_a_ping_counts_as_confirmed_when_it_was_taken() -> None:
    those = streams()
    calls: list[tuple[str, str]] = []
    those.watch(lambda sid: calls.append(("ping", sid)), lambda sid: calls.append(("pong", sid)))
    stream = those.opened("s", {})
    those.emit(KIND, ["s"], "x", {})
    those.ping(KIND, "s")
    assert calls == [("ping", "s")]
    frames: Any = those.frames(stream)
    await anext(frames)
    assert calls == [("ping", "s")]  # taken, but not known to be handed on
    those.drop(KIND, "s")
    assert [chunk async for chunk in frames] == []
    assert calls == [("ping", "s"), ("pong", "s")]


async def test_a_silent_stream_has_heartbeats() -> None:
    those = streams(heartbeat=0.01)
    stream = those.opened("s", {})
    assert b"event: heartbeat" in await anext(those.frames(stream))


async def test_draining_ends_all() -> None:
    those = streams()
    opened = [those.opened(str(number), {}) for number in range(3)]
    await those.drain(0.01)
    assert all(stream.ended for stream in opened)
