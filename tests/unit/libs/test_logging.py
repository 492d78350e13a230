"""What reaches the log, and how often."""

from __future__ import annotations

import logging

import pytest

from libs.runtime.logging import _Seldom

pytestmark = pytest.mark.covers("F2-7")


def _record(
    at: float, name: str = "aiokafka.conn", message: str = "cannot reach %s", node: str = "a"
) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, (node,), None)
    record.created = at
    return record


def test_a_kafka_client_says_the_same_once_in_a_while() -> None:
    seldom = _Seldom()
    said = [at for at in range(1000, 1020) if seldom.filter(_record(at, node=f"node-{at}"))]
    assert said == [1000, 1005, 1010, 1015]


def test_what_is_new_or_from_others_is_always_said() -> None:
    seldom = _Seldom()
    assert seldom.filter(_record(1000))
    assert seldom.filter(_record(1001, message="the group is rebalancing: %s"))
    assert seldom.filter(_record(1001, name="aiokafka.consumer"))
    assert all(seldom.filter(_record(1000, name="services.delivery")) for _ in range(3))
