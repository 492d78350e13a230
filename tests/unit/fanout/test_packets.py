"""Socket.IO packets: the library's own encoding, and only what the protocol allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio import packet as library

from libs.fanout import frames
from libs.fanout.errors import Violation
from libs.fanout.fast_json import FastJson
from libs.fanout.packets import Packets

pytestmark = pytest.mark.covers("S6")

PACKETS = Packets(library.Packet, None, attachments=3)

leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.binary(max_size=20))
data = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


def parts(encoded: bytes) -> list[str | bytes]:
    """The Engine.IO messages of frames."""
    return [payload.decode()[1:] if opcode == frames.TEXT else payload for opcode, payload in frames.split(encoded)]


@given(st.lists(data, max_size=3), st.sampled_from(["/", "/custom"]), st.one_of(st.none(), st.integers(0, 10**6)))
def test_an_event_is_what_the_library_would_read(arguments: list[Any], namespace: str, number: int | None) -> None:
    first, *attachments = parts(PACKETS.event(namespace, ["name", *arguments], number))
    packet = library.Packet(encoded_packet=first)
    for attachment in attachments:
        packet.add_attachment(attachment)
    assert packet.data == ["name", *arguments]
    assert (packet.namespace or "/") == namespace
    assert packet.id == number


@pytest.mark.parametrize(
    "text",
    [
        "", "7", "abc", "2", "2{}", "2[]", '2"text"', "2[null]", '2["connect"]', '2["disconnect"]', "2[1",
        '0"text"', "0[]", "1{}", '1["a"]', "3[]", "3", '31{"a":1}', '4{"message":"no"}', '59-["x"]', '50-["x"]',
        '5["x"]', '21-["x"]',
    ],
)  # fmt: skip
def test_what_the_protocol_does_not_allow_is_refused(text: str) -> None:
    with pytest.raises(Violation):
        PACKETS.read(text)


@pytest.mark.parametrize(
    "text", ['2["x"]', "2[1]", '2/ns,12["x",{}]', "0", '0{"token":1}', "0/ns,", "1", "1/ns,", "31[]", '51-["x",{}]']
)
def test_what_it_allows_is_read(text: str) -> None:
    PACKETS.read(text)


def test_binary_without_a_packet_is_refused() -> None:
    with pytest.raises(Violation):
        PACKETS.read(b"bytes")


def test_wrong_placeholders_are_refused() -> None:
    packet = PACKETS.read('51-["x",{"_placeholder":true,"num":5}]')
    with pytest.raises(Violation):
        PACKETS.attach(packet, b"bytes")


def test_text_instead_of_an_attachment_is_refused() -> None:
    packet = PACKETS.read('51-["x",{"_placeholder":true,"num":0}]')
    with pytest.raises(Violation):
        PACKETS.attach(packet, '2["x"]')


def test_the_librarys_json_is_left_alone() -> None:
    assert library.Packet.json is not FastJson
    assert Packets(library.Packet, json, 3).packet_class.json is json


def test_json_beyond_orjson() -> None:
    assert FastJson.dumps({1: 2}) == '{"1":2}'
    assert FastJson.dumps(2**70) == str(2**70)
    assert FastJson.loads('"\\ud800"') == "\ud800"
    with pytest.raises(TypeError):
        FastJson.dumps([b"bytes"])
    with pytest.raises(ValueError, match="Expecting"):
        FastJson.loads("{")


@pytest.mark.parametrize("namespace", ["/", "/events"])
@pytest.mark.parametrize("json_module", [None, json], ids=["fast", "library"])
@given(st.dictionaries(st.text(), st.none() | st.integers(-(2**53), 2**53) | st.text()), st.text() | st.none())
def test_halves_make_what_the_whole_would(
    namespace: str, json_module: Any, data: dict[str, Any], value: str | None
) -> None:
    packets = Packets(library.Packet, json_module, 10)
    data.pop("userId", None)
    encoded = packets.halves(namespace, "notification:new", data, "userId")
    assert encoded(value) == packets.event(namespace, ["notification:new", {**data, "userId": value}])


def test_halves_carry_bytes_as_attachments() -> None:
    packets = Packets(library.Packet, None, 10)
    whole = packets.event("/", ["e", {"file": b"x", "userId": "u"}])
    assert packets.halves("/", "e", {"file": b"x"}, "userId")("u") == whole
