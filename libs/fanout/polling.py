"""The long-polling side of a session: what waits to be fetched, and the poll that waits for it."""

from __future__ import annotations

import asyncio
import base64
from collections import deque

from libs.fanout import frames

CLOSE_PACKET, NOOP_PACKET = "1", "6"
_PACKETS_A_POLL = 16  # python-engineio's client refuses more in one answer


class Polling:
    """Messages come as the frames that WebSocket clients get and become packets when they are fetched."""

    __slots__ = ("_frames", "_packets", "_size", "calm", "fetching", "posting", "waiter")

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._packets: deque[str] = deque()
        self._size = 0
        self.waiter: asyncio.Future[None] | None = None  # of the poll that found nothing
        self.fetching = self.posting = False  # a GET, a POST is at work
        self.calm: asyncio.Future[None] | None = None  # of the POST that brought more than is handled at once

    def put(self, data: bytes) -> int:
        """Adds frames and wakes the poll; how many bytes wait now."""
        self._frames.append(data)
        self._size += len(data)
        self.wake()
        return self._size

    def put_packet(self, packet: str) -> None:
        """Adds a packet of the transport's own."""
        self._packets_of_frames()
        self._packets.append(packet)
        self.wake()

    def wake(self) -> None:
        """Ends the wait of a poll."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def until_calm(self) -> None:
        """A POST's wait until most of what it brought has been handled: the next one comes only afterwards."""
        self.calm = asyncio.get_running_loop().create_future()
        try:
            await self.calm
        finally:
            self.calm = None

    def calmed(self) -> None:
        """Ends the wait of a POST."""
        if self.calm is not None and not self.calm.done():
            self.calm.set_result(None)

    @property
    def empty(self) -> bool:
        """Nothing waits to be fetched."""
        return not self._frames and not self._packets

    async def wait(self) -> None:
        """Until something waits to be fetched or the poll is to end."""
        if self.empty:
            self.waiter = asyncio.get_running_loop().create_future()
            try:
                await self.waiter
            finally:
                self.waiter = None

    def take(self) -> list[str]:
        """Packets for one answer."""
        self._packets_of_frames()
        return [self._packets.popleft() for _ in range(min(len(self._packets), _PACKETS_A_POLL))]

    def rest(self) -> bytes:
        """Everything that nobody fetched, as frames again: it goes on over the WebSocket."""
        packets, self._packets = self._packets, deque()
        framed = [_frame(packet) for packet in packets if packet != NOOP_PACKET]
        waiting, self._frames, self._size = list(self._frames), deque(), 0
        return b"".join((*framed, *waiting))

    def _packets_of_frames(self) -> None:
        while self._frames:
            for opcode, payload in frames.split(self._frames.popleft()):
                self._packets.append(_packet(opcode, payload))
        self._size = 0


def _packet(opcode: int, payload: bytes) -> str:
    return payload.decode() if opcode == frames.TEXT else "b" + base64.b64encode(payload).decode()


def _frame(packet: str) -> bytes:
    if packet.startswith("b"):
        return frames.frame(base64.b64decode(packet[1:]), frames.BINARY)
    return frames.frame(packet.encode())
