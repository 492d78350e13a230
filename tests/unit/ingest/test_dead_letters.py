"""What stands on `noti.invalid`."""

from __future__ import annotations

import base64

import pytest

from libs.runtime.dead_letters import MAX_ORIGINAL_BYTES
from libs.schemas.records import DeadLetter
from services.ingest.domain import dead_letters
from services.ingest.domain.refusals import Refused
from tests.unit.ingest.admitting import NOW, ORIGIN

pytestmark = pytest.mark.covers("F0-3")


def test_the_reason_the_place_and_the_original_bytes() -> None:
    why = Refused("not-json", "not JSON", "data.x")
    origin = ORIGIN._replace(key=b"k\xff")
    letter = DeadLetter.model_validate_json(dead_letters.letter(why, origin, b"\xff{", [("h", b"v\xff")], NOW))
    assert (letter.code, letter.reason, letter.field, letter.service) == ("not-json", "not JSON", "data.x", "ingest")
    assert (letter.source.topic, letter.source.partition, letter.source.offset) == ("noti", 3, 41)
    assert letter.value is not None
    assert letter.key is not None
    assert (base64.b64decode(letter.value), base64.b64decode(letter.key)) == (b"\xff{", b"k\xff")
    assert letter.headers == {"h": "v\ufffd"}
    assert dead_letters.key(origin) == b"noti:3:41"


def test_a_tombstone_has_no_value() -> None:
    letter = DeadLetter.model_validate_json(dead_letters.letter(Refused("no-value", "r"), ORIGIN, None, [], NOW))
    assert letter.value is None


def test_what_the_topic_cannot_hold_is_told_by_its_size() -> None:
    size = MAX_ORIGINAL_BYTES + 1
    headers = [(f"h{n}", b"x" * 100_000) for n in range(100)]
    raw = dead_letters.letter(Refused("too-large", "r"), ORIGIN, b"x" * size, headers, NOW)
    letter = DeadLetter.model_validate_json(raw)
    assert letter.value is None
    assert str(size) in letter.reason
    assert len(raw) < 100_000
