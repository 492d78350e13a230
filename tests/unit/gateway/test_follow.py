"""Following a log: in order, without gaps or repeats, whatever comes in whatever order (B9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.follow import Follower, Judgement
from services.gateway.domain.logs import Entry, Head, Stretch

pytestmark = pytest.mark.covers("B9")

PATIENCE = 0.03


def entry(seq: int, epoch: int = 1) -> Entry:
    return Entry(epoch, seq, None)


def seqs(entries: list[Entry] | None) -> list[int]:
    assert entries is not None
    return [e.seq for e in entries]


def test_the_next_entry_is_shown_and_an_old_one_dropped() -> None:
    follower = Follower(1, 4, PATIENCE)
    assert seqs(follower.offer(entry(5), 0)) == [5]
    assert seqs(follower.offer(entry(5), 0)) == []
    assert seqs(follower.offer(entry(2), 0)) == []


def test_a_gap_is_waited_for_before_it_is_fetched() -> None:
    follower = Follower(1, 0, PATIENCE)
    assert seqs(follower.offer(entry(3), 10.0)) == []
    assert follower.missing(10.01) is None
    assert follower.missing(10.03) == Stretch(0, 2)
    assert seqs(follower.fill([entry(1), entry(2)], 10.04)) == [1, 2, 3]
    assert not follower.waits


def test_a_gap_that_closes_by_itself_is_never_fetched() -> None:
    follower = Follower(1, 0, PATIENCE)
    follower.offer(entry(2), 0)
    assert seqs(follower.offer(entry(1), 0.01)) == [1, 2]
    assert follower.missing(1.0) is None


def test_a_head_shows_that_the_last_entry_was_lost() -> None:
    follower = Follower(1, 7, PATIENCE)
    assert follower.learn(Head(1, 9), follower.known, 0) is Judgement.BEHIND
    assert follower.missing(PATIENCE) == Stretch(7, 9)
    assert follower.learn(Head(1, 9), follower.known, 0) is Judgement.SAME


def test_an_entry_that_comes_while_a_head_is_being_read_is_no_new_beginning() -> None:
    follower = Follower(1, 5, PATIENCE)
    mark = follower.known
    follower.offer(entry(6), 0)
    assert follower.learn(Head(1, 5), mark, 0) is Judgement.SAME


@pytest.mark.parametrize("head", [Head(2, 9), Head(1, 3)], ids=["another epoch", "an earlier end"])
def test_a_log_that_has_begun_anew_is_recognised(head: Head) -> None:
    follower = Follower(1, 5, PATIENCE)
    assert follower.learn(head, follower.known, 0) is Judgement.ANEW
    follower.restart(head)
    assert seqs(follower.offer(entry(head.seq + 1, head.epoch), 0)) == [head.seq + 1]


def test_an_entry_of_another_epoch_is_not_judged_here() -> None:
    assert Follower(1, 5, PATIENCE).offer(entry(6, epoch=2), 0) is None


def test_what_retention_took_is_given_up() -> None:
    follower = Follower(1, 0, PATIENCE)
    follower.offer(entry(9), 0)
    assert seqs(follower.skip(6, 0)) == []
    assert seqs(follower.fill([entry(6), entry(7), entry(8)], 0)) == [6, 7, 8, 9]


@given(st.permutations(range(1, 31)), st.sets(st.integers(1, 30)), st.lists(st.integers(1, 30), max_size=10))
def test_every_entry_is_shown_once_and_in_order(order: list[int], lost: set[int], repeats: list[int]) -> None:
    follower, now, shown = Follower(1, 0, PATIENCE), 0.0, []
    for seq in [*(s for s in order if s not in lost), *repeats]:
        shown += seqs(follower.offer(entry(seq), now))
        now += 0.001
    follower.learn(Head(1, 30), follower.known, now)
    while (stretch := follower.missing(now := now + PATIENCE)) is not None:
        fetched = [entry(seq) for seq in range(stretch.after + 1, stretch.until + 1)]
        shown += seqs(follower.fill(fetched[:4], now))
    assert shown == list(range(1, 31))


def test_memory_for_what_came_too_early_is_bounded() -> None:
    follower = Follower(1, 0, PATIENCE)
    for seq in range(2, 2_000):
        follower.offer(entry(seq), 0)
    shown = seqs(follower.offer(entry(1), 0))
    assert len(shown) < 400
    assert follower.missing(1.0) == Stretch(shown[-1], 1_999)
