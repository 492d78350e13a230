"""What a caller who waits is told of each channel (F2-1)."""

from __future__ import annotations

import pytest

from services.ingest.domain.results import ChannelState, Progress, result

pytestmark = pytest.mark.covers("F2-1")


def progress(
    *states: ChannelState, in_app: bool = True, notes: tuple[str, ...] = (), expanding: bool = False
) -> Progress:
    return Progress(in_app, notes, expanding, states)


def test_in_app_is_true_once_it_stands_in_the_log() -> None:
    found = result(progress())
    assert (found.settled, found.success, found.channels, found.errors) == (True, True, {"in-app": True}, {})


def test_before_it_is_planned_nothing_is_true() -> None:
    found = result(None, ["in-app", "email"])
    assert (found.settled, found.success) == (False, False)
    assert found.errors == {"in-app": "not-planned-yet", "email": "not-planned-yet"}


@pytest.mark.parametrize(
    ("state", "reached", "error", "settled"),
    [
        (ChannelState("email", "sent", "sent", False), True, None, True),
        (ChannelState("email", "delivered", "delivered", False), True, None, True),
        (ChannelState("email", "failed", "bad-address", False), False, "bad-address", True),
        (ChannelState("email", "suppressed", "channel-off", False), False, "channel-off", True),
        (ChannelState("email", "deferred", "quiet-hours", False), False, "quiet-hours", True),
        (ChannelState("email", "unknown", "outcome-unknown", False), False, "outcome-unknown", True),
        (ChannelState("email", "unknown", "outcome-unknown", True), False, "outcome-unknown", False),
        (ChannelState("email", "planned", "provider-deferred", True), False, "provider-deferred", False),
        (ChannelState("email", "planned", "type-default", False), False, "undecided", False),
        (ChannelState("email", "sending", "sending", False), False, "undecided", False),
    ],
)
def test_a_channel_is_true_when_somebody_was_reached(
    state: ChannelState, reached: bool, error: str | None, settled: bool
) -> None:
    found = result(progress(state, in_app=False))
    assert (found.channels, found.errors.get("email"), found.settled) == ({"email": reached}, error, settled)
    assert found.success == reached


def test_one_of_many_is_enough_for_a_channel() -> None:
    states = ChannelState("email", "failed", "bad-address", False), ChannelState("email", "sent", "sent", False)
    found = result(progress(*states))
    assert (found.channels, found.errors) == ({"in-app": True, "email": True}, {})


def test_channels_without_deliveries_say_why() -> None:
    found = result(progress(notes=("channel-unavailable:sms",)), ["in-app", "sms", "push"])
    assert found.channels == {"in-app": True, "sms": False, "push": False}
    assert found.errors == {"sms": "channel-unavailable", "push": "nobody-addressed"}
    waiting = result(progress(expanding=True), ["push"])
    assert (waiting.errors, waiting.settled) == ({"push": "undecided"}, False)
