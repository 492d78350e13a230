"""The accounting, on values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.domain import accounting, doors
from cli.domain.accounting import Check, Ends, Lag, ProgressRow
from cli.domain.doors import Written

pytestmark = pytest.mark.covers("B7")


def row(consumer: str = "ingest", topic: str = "noti", start: int = 0, **more: Any) -> ProgressRow:
    """A row that adds up, unless `next_offset` says otherwise."""
    tally = {name: more.pop(name, 0) for name in ("accepted", "duplicates", "dead", "gaps")}
    fields: dict[str, Any] = {"partition": 0, "generation": 1, "cluster": "c"}
    fields |= {"start_offset": start, "next_offset": start + sum(tally.values())}
    return ProgressRow(consumer=consumer, topic=topic, **fields | tally | more)


counts = st.integers(0, 10**12)


@given(counts, counts, counts, counts, counts)
def test_offsets_whose_fate_is_known_add_up(start: int, accepted: int, duplicates: int, dead: int, gaps: int) -> None:
    assert (
        accounting.unbalanced(
            [row("router", "t", start, accepted=accepted, duplicates=duplicates, dead=dead, gaps=gaps)]
        )
        == []
    )


@given(counts, st.integers(-1000, 1000).filter(bool))
def test_any_other_sum_is_a_difference_of_that_size(accepted: int, off: int) -> None:
    (found,) = accounting.unbalanced([row(accepted=accepted, next_offset=accepted + off)])
    assert found.amount == off


def test_only_the_last_generation_can_be_in_flight() -> None:
    rows = [row(accepted=100), row(accepted=4, generation=2)]
    ends = {("noti", 0): Ends(0, 9)}
    assert accounting.lags({"ingest": {"noti"}}, rows, ends, "c") == [Lag("ingest", "noti", 0, 5)]
    assert accounting.vanished(rows, ends, "c") == []


def test_a_partition_without_progress_is_all_in_flight() -> None:
    ends = {("noti", 0): Ends(3, 9), ("noti", 1): Ends(0, 0), ("other", 0): Ends(0, 5)}
    assert accounting.lags({"ingest": {"noti"}}, [], ends, "c") == [Lag("ingest", "noti", 0, 6)]


def test_progress_past_the_end_of_this_cluster_is_a_loss_and_of_another_is_history() -> None:
    ends = {("noti", 0): Ends(0, 2)}
    (found,) = accounting.vanished([row(accepted=5)], ends, "c")
    assert found.amount == 3
    assert accounting.vanished([row(accepted=5)], ends, "another") == []
    assert accounting.vanished([row(accepted=5)], {}, "c")[0].amount == 5


def test_examples_are_limited_and_amounts_are_not() -> None:
    found = [accounting.Difference(str(n), "", -2) for n in range(10)]
    check = Check.of("x", "y", 10, found, 3)
    assert (check.difference, len(check.examples)) == (20, 3)


def test_the_routers_count_is_compared_event_by_event() -> None:
    rows = [row("router", "p.service.event", accepted=2), row("router", "p.service.event", accepted=1, partition=1)]
    assert doors.uncounted(rows, [Written("service.event", 3, 3)], "p.") == []
    (found,) = doors.uncounted(rows, [Written("service.event", 1, 1)], "p.")
    assert found.amount == 2
    (extra,) = doors.uncounted([], [Written("agent.event", 1, 0)], "p.")
    assert (extra.subject, extra.amount) == ("agent.event", -1)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_whatever_the_router_did_with_what_it_was_handed_nothing_is_lost(
    inserted: int, duplicates: int, dead: int, waiting: int, by_http: int
) -> None:
    rows = [
        row(accepted=inserted + duplicates + dead + waiting),
        row("router", "service.event", accepted=inserted + by_http, duplicates=duplicates, dead=dead),
    ]
    written = [Written("service.event", inserted + by_http, inserted)]
    lags = [Lag("router", "service.event", 0, waiting)]
    assert doors.lost_between(rows, written, lags, "noti") == []
    rows[0] = row(accepted=rows[0].accepted + 1)
    assert doors.lost_between(rows, written, lags, "noti")[0].amount == 1


def test_a_notification_that_ingest_has_not_counted_yet_is_in_flight_on_noti() -> None:
    rows = [row(accepted=1), row("router", "service.event", accepted=2)]
    written = [Written("service.event", 2, 2)]
    assert doors.lost_between(rows, written, [Lag("ingest", "noti", 0, 1)], "noti") == []
    assert doors.lost_between(rows, written, [], "noti")[0].amount == 1


def test_counts_of_several_clusters_are_not_compared() -> None:
    assert doors.comparable([row()], "c")
    assert not doors.comparable([row(), row(generation=2)], "c")
    assert not doors.comparable([row()], "another")
