"""The AsyncAPI description holds together and is what its file says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from libs.schemas import topics
from libs.schemas.asyncapi import document
from libs.schemas.generate import FOLDER

pytestmark = pytest.mark.covers("B8")


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere() -> None:
    described = document()
    found = list(references(described))
    assert found
    for reference in found:
        place = described
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_the_file_is_what_is_generated() -> None:
    assert json.loads((FOLDER / "asyncapi.json").read_text()) == document()


def test_it_names_topics_that_are_made() -> None:
    made = {topic.name for topic in topics.ALL}
    described = document()
    assert described["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in described["channels"].values()} <= made
    assert {operation["action"] for operation in described["operations"].values()} == {"send", "receive"}
