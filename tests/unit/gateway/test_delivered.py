"""What a pong confirms (S8)."""

from __future__ import annotations

import pytest

from services.gateway.domain.delivered import Confirmations

pytestmark = pytest.mark.covers("S8")


def test_a_pong_confirms_what_was_sent_before_its_ping_and_no_more() -> None:
    socket = Confirmations()
    socket.pinged({"user:u": 3})
    socket.pinged({"user:u": 5, "org:o": 2})
    assert socket.ponged() == {"user:u": 3}
    assert socket.ponged() == {"user:u": 5, "org:o": 2}
    assert socket.ponged() == {}


def test_what_was_confirmed_is_not_news_again() -> None:
    socket = Confirmations()
    socket.pinged({"user:u": 3})
    socket.ponged()
    socket.pinged({"user:u": 3})
    assert socket.ponged() == {}


def test_a_ping_is_needed_only_for_what_none_on_its_way_would_confirm() -> None:
    socket = Confirmations()
    assert socket.lags({"user:u": 1})
    socket.pinged({"user:u": 1})
    assert not socket.lags({"user:u": 1})
    assert socket.lags({"user:u": 2})
    socket.ponged()
    assert not socket.lags({"user:u": 1})
    assert not socket.lags({})
