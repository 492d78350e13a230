"""Sealed values: they come back as they were, and only where they belong (F2-8)."""

from __future__ import annotations

import base64
import os
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.paths import MASK, at_path, masked
from libs.sealing.values import DataKey, seal, unseal

pytestmark = pytest.mark.covers("F2-8")

KEY = DataKey(UUID(int=1), os.urandom(32))
ABOUT = ("acme", UUID(int=7))
TEXTS = st.text('aé•\u0000"', max_size=6)
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map(".".join), max_size=6)


@given(st.dictionaries(NAMES, VALUES), PATHS)
def test_what_is_sealed_comes_back_as_it_was(data: dict[str, Any], paths: list[str]) -> None:
    kept, sealed = seal(data, paths, KEY, ABOUT)
    if sealed is None:
        assert kept == data
        assert all(at_path(data, path) is None for path in paths)
        return
    assert masked(kept, paths) == kept, "nothing is left at any of the paths"
    stored = orjson.loads(orjson.dumps(sealed))
    assert unseal(kept, stored["values"], KEY, ABOUT) == (data, 0)


def test_the_stored_form_shows_a_mask_and_nothing_of_the_value() -> None:
    data = {"patient": {"name": "Ada Lovelace", "ward": 7}, "results": [{"value": "Ada"}, 2]}
    kept, sealed = seal(data, ["patient.name", "results", "not.there", "patient.ward.number"], KEY, ABOUT)
    assert kept == {"patient": {"name": MASK, "ward": 7}, "results": MASK}
    assert data["patient"] == {"name": "Ada Lovelace", "ward": 7}, "what was given stays as it is"
    assert sealed is not None
    assert sealed["key"] == str(KEY.id)
    assert set(sealed["values"]) == {"patient.name", "results"}
    assert "Ada" not in str(sealed)
    again = seal(data, ["patient.name"], KEY, ABOUT)[1]
    assert again is not None
    assert again["values"]["patient.name"] != sealed["values"]["patient.name"], "equal values do not look alike"


@pytest.mark.parametrize(
    ("key", "about", "path"),
    [
        (KEY, ("globex", ABOUT[1]), "a"),
        (KEY, (ABOUT[0], uuid4()), "a"),
        (KEY, ABOUT, "b"),
        (DataKey(KEY.id, os.urandom(32)), ABOUT, "a"),
        (None, ABOUT, "a"),
    ],
    ids=["another tenant", "another notification", "another path", "another key", "no key"],
)
def test_it_opens_only_where_it_was_sealed(key: DataKey | None, about: tuple[str, UUID], path: str) -> None:
    _, sealed = seal({"a": "secret"}, ["a"], KEY, ABOUT)
    assert sealed is not None
    moved = {path: sealed["values"]["a"]}
    assert unseal({path: MASK, "n": 1}, moved, key, about) == ({path: None, "n": 1}, 1)


@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_bit_of_it_can_be_changed(position: int, change: int) -> None:
    kept, sealed = seal({"a": {"b": "secret"}, "n": 1}, ["a.b"], KEY, ABOUT)
    assert sealed is not None
    changed = bytearray(base64.b64decode(sealed["values"]["a.b"]))
    changed[position % len(changed)] ^= change
    values = {"a.b": base64.b64encode(changed).decode()}
    assert unseal(kept, values, KEY, ABOUT) == ({"a": {"b": None}, "n": 1}, 1)


@given(TEXTS | st.integers() | st.none() | st.binary(max_size=40).map(lambda b: base64.b64encode(b).decode()))
def test_whatever_stands_there_instead_is_a_value_that_is_missing(garbage: Any) -> None:
    assert unseal({"a": MASK}, {"a": garbage}, KEY, ABOUT) == ({"a": None}, 1)


def test_what_the_data_has_no_mask_for_is_left_out() -> None:
    _, sealed = seal({"a": {"b": 1}}, ["a.b"], KEY, ABOUT)
    assert sealed is not None
    assert unseal({"a": "other"}, sealed["values"], KEY, ABOUT) == ({"a": "other"}, 0)
