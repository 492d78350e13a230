"""Who is here, with a time of grace; what is told of it is bounded, coalesced, and never older than what was told."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libs.schemas.records import PresenceChange, PresenceStatus
from services.gateway.domain.dialects.root import Root
from services.gateway.domain.presence import Frames, News, Present, Roster, news
from services.gateway.domain.session import Session
from tests.unit.gateway.test_access import identity

pytestmark = pytest.mark.covers("F3-1", "S19")

GRACE = 10.0
STATUSES: list[PresenceStatus] = ["ONLINE", "AWAY", "BUSY", "OFFLINE"]


def session(sid: str, **given: object) -> Session:
    return Session(sid, "/", Root(), identity(**given))


def change(user: str, version: int, status: PresenceStatus, **more: object) -> PresenceChange:
    fields = {"tenant": "t", "user_id": user, "version": version, "status": status} | more
    return PresenceChange.model_validate(fields)


def told(frames: Frames, now: float) -> list[tuple[str, PresenceStatus, tuple[News, ...]]]:
    return [(c.user_id, c.status, n) for c, n in frames.due(now)]


def test_a_person_has_gone_a_time_after_their_last_socket() -> None:
    roster, one, two = Roster(GRACE), session("1", roles=("A",), session_id="s1"), session("2", session_id="s2")
    roster.arrive(one)
    roster.arrive(two)
    assert roster.due(0, 10) == [Present("t", "u", 2, ("A",), ("s1", "s2"))]
    roster.depart(one, 0)
    assert roster.due(0, 10) == [Present("t", "u", 1, (), ("s2",))]
    roster.depart(two, 1)
    assert roster.due(10.9, 10) == []
    assert roster.due(11, 10) == [Present("t", "u", 0)]
    assert roster.due(100, 10) == []
    assert len(roster) == 0


def test_whoever_comes_back_within_the_grace_has_not_been_away() -> None:
    roster = Roster(GRACE)
    roster.arrive(session("1"))
    roster.depart(session("1"), 0)
    roster.arrive(session("2"))
    assert roster.due(20, 10) == [Present("t", "u", 1)]
    assert roster.due(40, 10) == []


def test_agents_are_not_people_also_where_they_act_for_one() -> None:
    roster = Roster(GRACE)
    roster.arrive(session("1", user_id=None, agent_id="a"))
    roster.arrive(session("2", agent_id="a"))
    assert roster.due(0, 10) == []


def test_a_report_that_failed_is_due_again_also_of_somebody_who_left() -> None:
    roster = Roster(GRACE)
    roster.arrive(session("1"))
    roster.depart(session("1"), 0)
    gone = roster.due(GRACE, 10)
    roster.again(gone)
    assert roster.due(GRACE, 10) == gone == [Present("t", "u", 0)]


def test_when_nobody_knows_of_us_any_more_everybody_is_reported_again() -> None:
    roster = Roster(GRACE)
    for user in "abc":
        roster.arrive(session(user, user_id=user))
    assert len(roster.due(0, 2)) == 2
    assert len(roster.due(0, 2)) == 1
    roster.anew()
    assert {report.user_id for report in roster.due(0, 10)} == {"a", "b", "c"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 15))))
@example([("a", True, 0.1), ("a", False, 8.2)])  # as floats, (8.3 + 10) - 8.3 is less than 10
def test_what_was_reported_last_is_who_is_here(steps: list[tuple[str, bool, float]]) -> None:
    roster, now, here = Roster(GRACE), 0.0, set[str]()
    known: dict[str, int] = {}
    for user, comes, pause in steps:
        now += pause
        member = session(user, user_id=user)
        if comes:
            here.add(user)
            roster.arrive(member)
        else:
            here.discard(user)
            roster.depart(member, now)
        known |= {report.user_id: report.sockets for report in roster.due(now, 2)}
    known |= {report.user_id: report.sockets for _ in steps for report in roster.due(now + GRACE, 2)}
    assert {user for user, sockets in known.items() if sockets} == here


def test_what_a_client_is_told() -> None:
    assert news(change("u", 1, "ONLINE")) == (News.CAME,)
    assert news(change("u", 2, "OFFLINE", previous="AWAY")) == (News.WENT,)
    assert news(change("u", 3, "BUSY", previous="ONLINE", chosen=True)) == (News.CHANGED,)
    assert news(change("u", 4, "OFFLINE", previous="ONLINE", chosen=True)) == (News.WENT, News.CHANGED)
    assert news(change("u", 5, "ONLINE", previous="ONLINE")) == ()


def test_coming_and_going_while_it_waits_is_not_told() -> None:
    frames = Frames(1, 100)
    frames.offer(change("first", 1, "ONLINE"))
    frames.offer(change("u", 1, "ONLINE"))
    assert told(frames, 0) == [("first", "ONLINE", (News.CAME,))]
    frames.offer(change("u", 2, "OFFLINE", previous="ONLINE"))
    assert told(frames, 5) == []
    frames.offer(change("u", 3, "ONLINE"))
    assert told(frames, 9) == [("u", "ONLINE", (News.CAME,))]


def test_an_older_word_and_a_repeated_one_are_dropped() -> None:
    frames = Frames(20, 100)
    assert frames.offer(change("u", 2, "ONLINE"))
    assert not frames.offer(change("u", 1, "OFFLINE"))
    assert told(frames, 0) == [("u", "ONLINE", (News.CAME,))]
    assert not frames.offer(change("u", 2, "ONLINE"))
    assert told(frames, 5) == []


def test_one_tenant_does_not_use_up_the_frames_of_another() -> None:
    frames = Frames(2, 100)
    for number in range(10):
        frames.offer(change(f"u{number}", 1, "ONLINE"))
    frames.offer(change("v", 1, "ONLINE", tenant="other"))
    assert [user for user, _, _ in told(frames, 0)] == ["u0", "u1", "v"]


@given(
    st.integers(2, 6),
    st.lists(
        st.tuples(
            st.sampled_from("abcdefgh"), st.integers(1, 12), st.sampled_from(STATUSES), st.booleans(), st.floats(0, 0.7)
        ),
        max_size=120,
    ),
)
def test_frames_are_bounded_in_order_and_end_with_the_newest(
    rate: int, steps: list[tuple[str, int, PresenceStatus, bool, float]]
) -> None:
    frames, now = Frames(rate, 1_000), 0.0
    newest: dict[str, tuple[int, PresenceStatus]] = {}
    shown: defaultdict[str, list[int]] = defaultdict(list)
    last: dict[str, PresenceStatus] = {}
    sent: list[float] = []

    def show() -> None:
        for told, kinds in frames.due(now):
            shown[told.user_id].append(told.version)
            sent.extend([now] * len(kinds))
            last[told.user_id] = told.status

    for user, version, status, chosen, pause in steps:
        now += pause
        if frames.offer(change(user, version, status, chosen=chosen)):
            newest[user] = (version, status)
        show()
    for _ in range(len(steps)):
        now += 1.0
        show()
    assert all(sum(1 for at in sent if start <= at < start + 1) <= rate for start in sent)
    assert all(versions == sorted(set(versions)) for versions in shown.values())
    assert all(last.get(user, "OFFLINE") == status for user, (_, status) in newest.items())
