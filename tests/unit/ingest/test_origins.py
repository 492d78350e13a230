"""Ids: the same for what is published again, different for what is not."""

from __future__ import annotations

from uuid import uuid4

import pytest

from libs.runtime.ids import FIRST_PLACE_HEADER, Place
from services.ingest.domain import identifiers
from services.ingest.domain.origins import GivenId, RecordOrigin, RequestOrigin, first_place, named_by_headers
from services.ingest.domain.refusals import Refused

pytestmark = pytest.mark.covers("B1")

HERE = RecordOrigin("noti", 1, 2, 3)


def test_a_given_id_counts_within_tenant_and_door() -> None:
    elsewhere = RecordOrigin("noti", 5, 6, 7)
    assert HERE.id_for("t", "order-1") == elsewhere.id_for("t", "order-1")
    assert HERE.id_for("t", "order-1") != HERE.id_for("u", "order-1")
    assert HERE.id_for("t", "order-1") != RequestOrigin(uuid4()).id_for("t", "order-1")


def test_without_one_the_position_and_its_time_decide() -> None:
    assert HERE.id_for("t", None) == HERE.id_for("t", None)
    others = [HERE._replace(topic="x"), HERE._replace(partition=9), HERE._replace(offset=9), HERE._replace(timestamp=9)]
    assert len({origin.id_for("t", None) for origin in (HERE, *others)}) == 5


def test_headers_give_ids() -> None:
    assert named_by_headers([("idempotency-key", b"k-1"), ("other", b"\xff")]) == GivenId("noti", "k-1")
    assert named_by_headers([("ce_source", b"/shop"), ("ce_id", b"7")]) == GivenId("/shop", "7")
    assert named_by_headers([("ce_id", b"7")]) is None
    assert HERE._replace(named=GivenId("noti", "k")).id_for("t", None) == HERE.id_for("t", "k")


@pytest.mark.parametrize("value", [b"", b"\xff", b"a\0b", b"x" * 201])
def test_headers_that_give_no_usable_id_are_refused(value: bytes) -> None:
    refused = named_by_headers([("idempotency-key", value)])
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == ("invalid-header", "headers.idempotency-key")


def test_a_list_repeats_the_ids_of_its_items() -> None:
    root = uuid4()
    assert identifiers.of_one(root)(0) == root
    assert identifiers.of_many(root)(3) == identifiers.of_many(root)(3)
    assert len({identifiers.of_many(root)(index) for index in range(100)}) == 100


def test_a_record_that_is_sent_again_says_where_it_first_stood() -> None:
    place = Place("a:b", 1, 2, 3)
    assert first_place([(FIRST_PLACE_HEADER, str(place).encode())]) == place
    assert first_place([("other", b"x")]) is None
    for wrong in (b"", b"noti:1:2", b"noti:1:2:x", b":1:2:3", b"\xff"):
        refused = first_place([(FIRST_PLACE_HEADER, wrong)])
        assert isinstance(refused, Refused)
        assert (refused.code, refused.field) == ("invalid-header", f"headers.{FIRST_PLACE_HEADER}")
