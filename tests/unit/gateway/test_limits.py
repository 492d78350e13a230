"""Rates, bans and counts of connections, with a clock that the test moves (S10)."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain import limits
from services.gateway.domain.addresses import client_address
from services.gateway.domain.limits import Bans, Connections, Exceeded, Meter, Rate, Scope

pytestmark = pytest.mark.covers("S10", "F1-5", "F4-4")

RATE = Rate(10, 5.0)


def test_ten_in_five_seconds_and_no_more() -> None:
    meter = Meter()
    assert [meter.take(RATE, 100.0 + n / 10) for n in range(10)] == [None] * 10
    assert meter.take(RATE, 101.0) == Exceeded(retry_after=4.0, first=True, flood=False)
    assert meter.take(RATE, 104.0) == Exceeded(retry_after=1.0, first=False, flood=False)
    assert [meter.take(RATE, 105.0) for _ in range(10)] == [None] * 10
    assert meter.take(RATE, 109.9) is not None


def test_a_flood_is_said_once_in_a_window() -> None:
    meter = Meter()
    verdicts = [meter.take(RATE, 0.0) for _ in range(500)]
    assert [n for n, verdict in enumerate(verdicts) if verdict and verdict.first] == [10]
    assert [n for n, verdict in enumerate(verdicts) if verdict and verdict.flood] == [99]


def test_a_ban_doubles_up_to_an_hour_and_is_forgiven_after_one() -> None:
    bans, now, lengths = Bans(60.0, 3_600.0), 0.0, []
    for _ in range(8):
        lengths.append(bans.offend("u", now))
        assert bans.left("u", now) == lengths[-1]
        assert bans.offend("u", now + 1) == lengths[-1] - 1  # knocking does not make it longer
        now += lengths[-1]
        assert bans.left("u", now) == 0
        now += 1
    assert lengths == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]
    assert bans.left("v", now) == 0
    assert bans.offend("u", now + 3_600) == 60


def test_offenders_are_not_remembered_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_REMEMBERED", 100)
    bans = Bans(60.0, 3_600.0)
    for number in range(1_000):
        bans.offend(number, 0.0)
    assert len(bans._bans) == 100
    assert bans.left(999, 1.0) == 59


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans()), max_size=80))
def test_a_connection_counts_once_whatever_sockets_it_carries(steps: list[tuple[int, int, bool]]) -> None:
    counted = Connections({"user": 2})
    held: Counter[tuple[str, Scope]] = Counter()
    for user, number, comes in steps:
        scope, connection = Scope("user", user), f"{user}-{number}"
        others = {c for (c, s), sockets in held.items() if s == scope and sockets and c != connection}
        is_new = not held[connection, scope]
        assert (counted.full(connection, (scope,)) == scope) is (is_new and len(others) >= 2)
        if comes and counted.full(connection, (scope,)) is None:
            counted.enter(connection, (scope,))
            held[connection, scope] += 1
        elif not comes and held[connection, scope]:
            counted.leave(connection, (scope,))
            held[connection, scope] -= 1
    for (connection, scope), sockets in held.items():
        for _ in range(sockets):
            counted.leave(connection, (scope,))
    assert not counted._scopes
    assert not counted._connections


def test_nought_is_any_number() -> None:
    counted = Connections({"user": 0})
    for number in range(50):
        counted.enter(str(number), (Scope("user", "u"),))
    assert counted.full("another", [Scope("user", "u")]) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("9.9.9.9", None, "9.9.9.9"),
        ("9.9.9.9", "1.2.3.4", "9.9.9.9"),  # a stranger may write what they like
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8::1", "1.2.3.4", "2001:db8::/64"),
        ("fd00::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:9.9.9.9", None, "9.9.9.9"),
        ("", None, ""),
    ],
)
def test_only_trusted_proxies_say_where_a_client_is(peer: str, forwarded: Any, counted: str) -> None:
    trusted = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert client_address(peer, forwarded, trusted) == counted
