"""What a record of a bulk lane has to wait for."""

from __future__ import annotations

import pytest

from libs.schemas.topics import FOLLOWS_HEADER
from services.router.domain.following import followed, is_behind
from services.router.domain.incoming import Record

pytestmark = pytest.mark.covers("B10")


def record(partition: int, follows: bytes | None, topic: str = "p.agent.event.bulk") -> Record:
    headers = () if follows is None else ((FOLLOWS_HEADER, follows),)
    return Record(topic, partition, 0, None, b"{}", headers, 0.0)


def test_a_record_follows_its_own_partition_of_the_fast_lane() -> None:
    wanted = followed([record(1, b"5,9"), record(1, b"5,7"), record(0, b"5,9")], "p.")
    assert wanted == {("p.agent.event", 1): 9, ("p.agent.event", 0): 5}


@pytest.mark.parametrize("header", [None, b"", b"0,0", b"x,y", b"5"])
def test_a_record_that_names_nothing_follows_nothing(header: bytes | None) -> None:
    assert followed([record(1, header)], "p.") == {}


def test_who_has_not_come_as_far_is_behind() -> None:
    wanted = {("t", 0): 5}
    assert is_behind(wanted, {})
    assert is_behind(wanted, {("t", 0): 4})
    assert not is_behind(wanted, {("t", 0): 5, ("t", 1): 0})
