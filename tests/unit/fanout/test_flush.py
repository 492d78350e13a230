"""Writing: order, sharing, joining, and holding back who is too fast."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.fanout.flush import Flush

pytestmark = pytest.mark.covers("S6")


class Socket:
    """Keeps the writes it was given."""

    def __init__(self) -> None:
        self.pending: bytes | None = None
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    @property
    def got(self) -> bytes:
        return b"".join(self.writes)


def flush(per_turn: int = 2) -> Flush:
    return Flush(per_turn, seconds=0.0, size=1_000)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sets(st.integers(0, 5), max_size=6),  # to many
            st.integers(0, 5),  # to one
            st.none(),  # a pass of the loop
        ),
        max_size=60,
    )
)
def test_everybody_gets_everything_in_the_order_in_which_it_was_sent(steps: list[set[int] | int | None]) -> None:
    async def run() -> None:
        writer = flush()
        sockets = [Socket() for _ in range(6)]
        expected = [b""] * 6
        for number, step in enumerate(steps):
            blob = b"<%d>" % number
            if step is None:
                await asyncio.sleep(0)
                continue
            chosen = {step} if isinstance(step, int) else step
            if isinstance(step, int):
                writer.send(sockets[step], blob)
            else:
                writer.send_all([sockets[index] for index in step], blob)
            for index in chosen:
                expected[index] += blob
        await writer.breathe()
        while writer.busy:
            await asyncio.sleep(0)
        assert [socket.got for socket in sockets] == expected
        assert all(socket.pending is None for socket in sockets)

    asyncio.run(run())


async def test_waiting_messages_are_one_write_of_shared_bytes() -> None:
    writer, sockets = flush(per_turn=100), [Socket() for _ in range(10)]
    writer.send_all(sockets, b"one")
    writer.send_all(sockets, b"two")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [socket.writes for socket in sockets] == [[b"onetwo"]] * 10
    assert len({id(socket.writes[0]) for socket in sockets}) == 1


async def test_one_alone_does_not_wait_for_a_large_room() -> None:
    writer, sockets, alone = flush(), [Socket() for _ in range(50)], Socket()
    writer.send_all(sockets, b"room")
    writer.send(alone, b"one")
    writer.send(alone, b"two")
    await asyncio.sleep(0)
    assert alone.writes == [b"onetwo"]
    assert sum(len(socket.writes) for socket in sockets) == 2  # a turn's


async def test_an_emitter_waits_until_the_line_is_written() -> None:
    writer, sockets = flush(), [Socket() for _ in range(50)]
    writer.send_all(sockets, b"x" * 2_000)
    await writer.breathe()
    assert all(socket.got for socket in sockets)
    assert not writer.busy
