"""Event streams (SSE) as one more kind of socket: what is emitted is queued for each stream, which takes it as it can.

The namespace of a stream is that of its dialect behind `sse:`. A stream has no answers, so what it has taken when a
ping is asked for counts as confirmed.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from libs.runtime.clock import Clock, iso
from services.gateway import metrics
from services.gateway.domain.event_stream import WirePosition, body, event_id, framed, moved

KIND = "sse:"
_SLOW, _SILENT = "slow", "silent"


class Stream:
    """One stream. `position` follows what was queued; None in the queue asks for a confirmation."""

    def __init__(self, sid: str, position: WirePosition, now: float) -> None:
        self.sid, self.position, self.taken_at = sid, position, now
        self.queue: deque[bytes | None] = deque()
        self.waiting, self.ended = 0, False
        self.news = asyncio.Event()

    def put(self, frame: bytes | None) -> None:
        """Queues a frame."""
        self.queue.append(frame)
        self.waiting += len(frame or b"")
        self.news.set()

    def end(self) -> None:
        """Ends after what is queued."""
        self.ended = True
        self.news.set()

    def cut(self) -> None:
        """Ends now."""
        self.queue.clear()
        self.end()


class EventStreams:
    """See ports.Sockets. Times are seconds, `buffer` is bytes."""

    def __init__(self, heartbeat: float, cleanup: float, buffer: int, clock: Clock) -> None:
        self._heartbeat, self._cleanup, self._buffer, self._clock = heartbeat, cleanup, buffer, clock
        self._streams: dict[str, Stream] = {}
        self._pinged: Callable[[str], None] = _nobody
        self._ponged: Callable[[str], None] = _nobody

    def watch(self, pinged: Callable[[str], None], ponged: Callable[[str], None]) -> None:
        """Tells of every ping to a stream, and when what was before it has been taken, by sid."""
        self._pinged, self._ponged = pinged, ponged

    def opened(self, sid: str, position: WirePosition) -> Stream:
        """A stream whose client stands at this position."""
        stream = self._streams[sid] = Stream(sid, position, _now())
        metrics.EVENT_STREAMS.set(len(self._streams))
        return stream

    def closed(self, sid: str) -> None:
        """A stream is over."""
        self._streams.pop(sid, None)
        metrics.EVENT_STREAMS.set(len(self._streams))

    async def frames(self, stream: Stream) -> AsyncIterator[bytes]:
        """What to send, as it comes, until the stream is ended; a heartbeat when nothing has come for long."""
        while True:
            if chunk := self._taken(stream):
                yield chunk
            elif stream.ended:
                return
            else:
                stream.news.clear()
                try:
                    await asyncio.wait_for(stream.news.wait(), self._heartbeat)
                except TimeoutError:
                    yield framed(body("heartbeat", {"timestamp": iso(self._clock())}), event_id(stream.position))

    def _taken(self, stream: Stream) -> bytes:
        """All that waits, in one piece. What stood before a mark has been handed to the transport by then."""
        stream.taken_at = _now()
        while stream.queue and stream.queue[0] is None:
            stream.queue.popleft()
            self._ponged(stream.sid)
        parts: list[bytes] = []
        while stream.queue and (frame := stream.queue[0]) is not None:
            parts.append(frame)
            stream.queue.popleft()
        stream.waiting = 0
        return b"".join(parts)

    def emit(self, namespace: str, sids: Iterable[str], event: str, payload: Mapping[str, Any]) -> None:
        """See ports.Sockets."""
        del namespace
        shared, count = body(event, payload), 0
        for sid in sids:
            if (stream := self._streams.get(sid)) is not None:
                self._put(stream, shared, payload)
                count += 1
        metrics.DELIVERIES.counts[()] += count

    def emit_personal(
        self, namespace: str, readers: Mapping[str, str], event: str, payload: Mapping[str, Any], field: str
    ) -> None:
        """See ports.Sockets."""
        for sid, reader in readers.items():
            self.emit(namespace, [sid], event, {**payload, field: reader})

    def _put(self, stream: Stream, shared: bytes, payload: Mapping[str, Any]) -> None:
        position = moved(stream.position, payload)
        stream.position = position or stream.position
        stream.put(framed(shared, None if position is None else event_id(position)))
        if stream.waiting > self._buffer:
            self._cut(stream, _SLOW)

    async def breathe(self) -> None:
        """See ports.Sockets. Nothing is written here, so there is nothing to wait for."""

    def refuse(self, namespace: str, sid: str, reason: str | None = None) -> None:
        """See ports.Sockets. When the client comes back its token is refused, which it takes as the end."""
        del reason
        self.drop(namespace, sid)

    def drop(self, namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        del namespace
        if (stream := self._streams.get(sid)) is not None:
            stream.end()

    def ping(self, namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        del namespace
        if (stream := self._streams.get(sid)) is not None:
            self._pinged(sid)
            stream.put(None)

    async def drain(self, seconds: float) -> None:
        """See ports.Sockets."""
        streams = list(self._streams.values())
        random.shuffle(streams)
        for stream in streams:
            stream.end()
            await asyncio.sleep(seconds / len(streams))

    async def sweep(self) -> None:
        """Ends streams that have taken nothing for long although something waits."""
        now = _now()
        for stream in list(self._streams.values()):
            if now - stream.taken_at > self._heartbeat + self._cleanup:
                self._cut(stream, _SILENT)

    def _cut(self, stream: Stream, reason: str) -> None:
        metrics.EVENT_STREAMS_CUT.labels(reason).inc()
        stream.cut()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _nobody(_sid: str) -> None:
    return None
