"""WebSocket frames: what the parser makes of any bytes is what `websockets` makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side

from libs.fanout import frames
from libs.fanout.wire import Wire
from tests.unit.fanout.clients import client_frame

pytestmark = pytest.mark.covers("S6")

LIMIT = 70_000


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False
        self.paused = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Recorder(Wire):
    """Notes messages and how it ended."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.sent = Transport()
        transport: Any = self.sent
        super().__init__(transport)
        self.messages: list[str | bytes] = []
        self.code: int | None = None
        self._limit = limit

    @property
    def limit(self) -> int:
        return self._limit

    def on_text(self, text: str) -> None:
        self.messages.append(text)

    def on_binary(self, data: bytes) -> None:
        self.messages.append(data)

    def write(self, data: bytes) -> None:
        self.sent.write(data)

    def fail(self, code: int) -> None:
        self.code, self.transport = code, None

    def on_close(self, answer: bytes) -> None:
        self.code, self.transport = int.from_bytes(answer[2:], "big"), None


def of_websockets(data: bytes, limit: int = LIMIT) -> tuple[list[str | bytes], int | None]:
    """Messages, close code (0: a close frame without one) and pongs by the sans-IO parser of `websockets`."""
    protocol = Protocol(Side.SERVER, max_size=limit)
    protocol.receive_data(data)
    messages: list[str | bytes] = []
    code: int | None = None
    opcode, parts = None, b""
    for event in protocol.events_received():
        frame: Any = event
        if frame.opcode is Opcode.CLOSE:
            code = int.from_bytes(frame.data[:2], "big")
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            continue
        opcode = frame.opcode if frame.opcode is not Opcode.CONT else opcode
        parts += frame.data
        if frame.fin:
            if opcode is Opcode.TEXT:
                try:
                    messages.append(parts.decode())
                except UnicodeDecodeError:  # its connections look at the text, its parser does not
                    return messages, 1007
            else:
                messages.append(parts)
            parts = b""
    if protocol.parser_exc is not None:
        code = _sent_code(protocol.data_to_send())
    return messages, code


def _sent_code(written: list[bytes]) -> int | None:
    closing = [payload for opcode, payload in frames.split(b"".join(written)) if opcode == frames.CLOSE]
    return int.from_bytes(closing[0][:2], "big") if closing else None


sizes = st.one_of(st.integers(0, 130), st.sampled_from([125, 126, 127, 65_535, 65_536]))
payloads = st.one_of(
    st.binary(max_size=140),
    st.text(max_size=60).map(str.encode),
    sizes.map(lambda size: b"x" * size),
    st.sampled_from([b"4\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", "é€😀".encode()[:-1], b"3"]),
)
data_frames = st.builds(
    client_frame,
    payloads,
    st.sampled_from([0, 1, 2, 2, 1, 1]),
    final=st.booleans(),
    mask=st.one_of(st.binary(min_size=4, max_size=4), st.just(b"\0\0\0\0")),
)
# Not as fragments: `websockets` counts a ping between fragments towards the size of the message.
at_the_limit = st.builds(
    lambda size, opcode: client_frame(b"x" * size, opcode), st.integers(LIMIT - 1, LIMIT + 1), st.sampled_from([1, 2])
)
controls = st.builds(client_frame, st.binary(max_size=125), st.sampled_from([9, 10]))
closes = st.builds(
    lambda code, reason: client_frame(code + reason, 8),
    st.one_of(st.just(b""), st.integers(0, 5100).map(lambda code: code.to_bytes(2, "big")), st.binary(max_size=2)),
    st.one_of(st.just(b""), st.text(max_size=20).map(str.encode), st.binary(max_size=4)),
)
wrong = st.one_of(
    st.builds(client_frame, st.binary(max_size=20), st.integers(0, 15), final=st.booleans()),
    st.sampled_from([b"\xc1\x80abcd", b"\x81\x01a", b"\x91\x80abcd", b"\x89\xfe\x00\x7eabcd" + b"x" * 126]),
)


def fragmented(parts: list[bytes], between: list[bytes], opcode: int) -> bytes:
    """One message in fragments with control frames between them."""
    out = b""
    for number, part in enumerate(parts):
        out += client_frame(part, opcode if number == 0 else 0, final=number == len(parts) - 1)
        out += between[number] if number < len(between) else b""
    return out


messages_in_parts = st.builds(
    fragmented, st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.lists(controls, max_size=5), st.just(2)
)
streams = st.lists(
    st.one_of(data_frames, data_frames, at_the_limit, messages_in_parts, controls, closes, wrong), max_size=8
).map(b"".join)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the payloads with 64-bit lengths
@settings(max_examples=600, deadline=None)
@given(streams, st.lists(st.integers(1, 400), max_size=12))
@example(client_frame("é".encode()[:1], final=False) + client_frame("é".encode()[1:], 0), [1])
@example(client_frame(b"a" * 40_000, final=False) + client_frame(b"a" * 40_000, 0), [])
def test_reads_what_websockets_reads(data: bytes, cuts: list[int]) -> None:
    """The same messages and the same close code, however the bytes are cut."""
    expected, code = of_websockets(data)
    recorder = Recorder()
    at = 0
    for cut in (*cuts, len(data)):
        if recorder.transport is not None:
            recorder.data_received(data[at : at + cut])
        at += cut
    assert recorder.messages == expected
    assert recorder.code == code


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_message_a_code_or_patience(data: bytes) -> None:
    """Nothing else is raised, and where `websockets` fails we fail; a wrong control frame does not have to be read."""
    recorder = Recorder()
    recorder.data_received(data)
    expected, code = of_websockets(data)
    assert recorder.messages == expected
    if code is not None:
        assert recorder.code is not None


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_frame_is_read_back(size: int) -> None:
    payload = b"x" * size
    assert list(frames.split(frames.frame(payload) + frames.frame(payload, frames.BINARY))) == [
        (frames.TEXT, payload),
        (frames.BINARY, payload),
    ]


def test_a_large_message_byte_by_byte_is_not_copied_each_time() -> None:
    """The unfinished frame is looked at again only when it is complete."""
    recorder = Recorder()
    for byte in client_frame(b"a" * 20_000):
        recorder.data_received(bytes((byte,)))
    assert recorder.messages == ["a" * 20_000]


def test_what_is_held_is_read_after_the_release() -> None:
    recorder = Recorder()
    recorder.hold()
    recorder.data_received(client_frame(b"one") + client_frame(b"two"))
    assert recorder.messages == []
    assert recorder.sent.paused
    recorder.release()
    assert recorder.messages == ["one", "two"]
    assert not recorder.sent.paused


def test_a_ping_between_fragments_is_answered() -> None:
    recorder = Recorder()
    recorder.data_received(fragmented([b"a", b"b"], [client_frame(b"hi", 9)], 1))
    assert recorder.messages == ["ab"]
    assert list(frames.split(recorder.sent.written)) == [(frames.PONG, b"hi")]
