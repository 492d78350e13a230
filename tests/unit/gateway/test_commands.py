"""Client events: what each means; anything else is a fault with the field named, never a crash (F1-3, F4-1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain import commands
from services.gateway.domain.commands import Fault, read
from tests.unit.gateway.shaping import DIALECTS, ID

pytestmark = pytest.mark.covers("F1-3", "F2-3", "F3-1", "F3-2", "F4-1", "S15", "S21", "S22")

RESOURCE = {"resourceType": "task", "resourceId": "t1"}
MEANT: list[tuple[str, Any, commands.Command]] = [
    ("authenticate", {"token": " Bearer x "}, commands.Authenticate("Bearer x")),
    ("authenticate", "x", commands.Authenticate("x")),
    ("ping", None, commands.Ping()),
    ("ping", {"anything": 1}, commands.Ping()),
    ("joinRoom", {"room": "task:1"}, commands.JoinRoom("task:1")),
    ("joinRoom", {"room": "task:1", "grant": "g"}, commands.JoinRoom("task:1", "g")),
    ("leaveRoom", {"room": "task:1"}, commands.LeaveRoom("task:1")),
    ("getPresence", None, commands.GetPresence()),
    ("presence:update", {"status": "AWAY"}, commands.UpdatePresence("AWAY", None, keeps_custom_status=True)),
    ("presence:update", {"status": "BUSY", "customStatus": "x"}, commands.UpdatePresence("BUSY", "x")),
    ("typing:start", RESOURCE, commands.Typing("task", "t1", True)),
    ("typing:stop", RESOURCE, commands.Typing("task", "t1", False)),
    ("subscribe", {"type": "CONTACT_CREATED"}, commands.Subscribe(("CONTACT_CREATED",))),
    ("subscribe", {"types": ["a", "b", "a"]}, commands.Subscribe(("a", "b"))),
    ("unsubscribe", {"type": "a"}, commands.Unsubscribe(("a",))),
    ("unsubscribe", None, commands.Unsubscribe(())),
    ("ack", {"notificationId": str(ID)}, commands.Acknowledge(ID)),
    ("markNotificationRead", {"notificationId": str(ID)}, commands.MarkRead(ID)),
]
WRONG: list[tuple[str, Any, str]] = [
    ("authenticate", None, "token"),
    ("authenticate", {"token": 7}, "token"),
    ("authenticate", {"token": "x" * 20_000}, "token"),
    ("joinRoom", {}, "room"),
    ("joinRoom", {"room": "a\0b"}, "room"),
    ("leaveRoom", {"room": "  "}, "room"),
    ("presence:update", {"status": "ASLEEP"}, "status"),
    ("presence:update", {"status": "AWAY", "customStatus": "x" * 201}, "customStatus"),
    ("typing:start", None, "resourceType"),
    ("typing:start", "task", "resourceType"),
    ("typing:stop", {"resourceType": "task"}, "resourceId"),
    ("subscribe", {}, "type"),
    ("subscribe", {"types": []}, "type"),
    ("subscribe", {"types": [7]}, "types"),
    ("subscribe", {"types": ["x"] * 101}, "types"),
    ("ack", {"notificationId": "nonsense"}, "notificationId"),
    ("markNotificationRead", [], "notificationId"),
]


@pytest.mark.parametrize("namespace", DIALECTS)
@pytest.mark.parametrize(("event", "argument", "command"), MEANT)
def test_client_events_mean_the_same_in_every_namespace(
    namespace: str, event: str, argument: Any, command: commands.Command
) -> None:
    arguments = () if argument is None else (argument, "more")
    assert read(DIALECTS[namespace].commands, event, arguments) == command


@pytest.mark.parametrize(("event", "argument", "field"), WRONG)
def test_what_is_wrong_is_named(event: str, argument: Any, field: str) -> None:
    fault = read(commands.COMMON, event, (argument,))
    assert isinstance(fault, Fault)
    assert (fault.code, fault.field) == ("INVALID_ARGUMENT", field)


def test_an_unknown_event_is_a_fault() -> None:
    fault = read(commands.COMMON, "make coffee", ())
    assert isinstance(fault, Fault)
    assert (fault.code, fault.field) == ("UNKNOWN_EVENT", "event")
    long = read(commands.COMMON, "x" * 100_000, ())
    assert isinstance(long, Fault)
    assert len(long.message) < 500


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["room", "status", "types"]), inner),
    max_leaves=8,
)


@given(st.sampled_from([*DIALECTS["/notifications"].commands, "other"]), st.lists(_JSON, max_size=3))
def test_no_argument_is_a_crash(event: str, arguments: list[Any]) -> None:
    command = read(DIALECTS["/notifications"].commands, event, tuple(arguments))
    assert isinstance(command, commands.Fault | commands.Command)
    if isinstance(command, commands.MarkRead):
        assert isinstance(command.notification, UUID)
