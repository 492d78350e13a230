"""Events from what is typed."""

from __future__ import annotations

import re

import orjson
import pytest

from cli.domain import composing, event_files
from cli.domain.event_files import NotEvents

pytestmark = pytest.mark.covers("F0-1")

NOW = {"timestamp": "2025-10-17T10:00:00.000Z"}


def test_pairs_lead_into_the_data() -> None:
    event = composing.event("service.alert", ["title=a=b", "metadata.orgId=acme", "data.n:=1"], [], NOW)
    assert orjson.loads(event) == {
        "event": "service.alert",
        "data": {"metadata": NOW | {"orgId": "acme"}, "title": "a=b", "data": {"n": 1}},
    }


def test_recipients_are_room_names() -> None:
    to = ["user:ana", "user:ben", "agent:7", "org:acme", "dept:sales", "role:admin", "tenant", "broadcast"]
    recipients = orjson.loads(composing.event("service.alert", [], to, NOW))["data"]["recipients"]
    assert recipients == {
        "userIds": ["ana", "ben"],
        "agentIds": ["7"],
        "orgIds": ["acme"],
        "departments": ["sales"],
        "roles": ["admin"],
        "tenant": True,
        "broadcast": True,
    }


@pytest.mark.parametrize("pair", ["title", "=text", ":=1", "n:=nope", "title.x=1"])
def test_a_pair_that_cannot_be_read_is_named(pair: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(pair))):
        composing.event("service.alert", ["title=t", pair], [], NOW)


@pytest.mark.parametrize("room", ["ana", "user:", "tenant:x", "res:task:7"])
def test_a_recipient_that_is_none_is_named(room: str) -> None:
    with pytest.raises(ValueError, match="no recipient"):
        composing.event("service.alert", [], [room], NOW)


def test_a_file_holds_one_many_or_lines() -> None:
    assert event_files.split(b' {"a": 1}\n') == [b'{"a": 1}']
    assert event_files.split(b'{\n "a": 1\n}') == [b'{\n "a": 1\n}']
    assert event_files.split(b'[{"a": 1}, {"b": 2}]') == [b'{"a":1}', b'{"b":2}']
    assert event_files.split(b'{"a": 1}\n\n{"b": 2}\n') == [b'{"a": 1}', b'{"b": 2}']


def test_a_line_that_is_not_json_is_named() -> None:
    with pytest.raises(NotEvents, match="line 2"):
        event_files.split(b'{"a": 1}\n{"b": \n')
