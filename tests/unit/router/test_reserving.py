"""Throttles and digests, whatever comes and however it is batched (B4)."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.rules.decisions import Digested, Gathered, Throttle
from libs.rules.person import Person, preferences
from services.router.domain.closing import Closed, Postponed, close
from services.router.domain.reserving import Digest, admit, collect

pytestmark = pytest.mark.covers("B4", "F2-8")

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


@given(st.integers(1, 5), st.integers(1, 60), st.lists(st.integers(0, 40), max_size=60))
def test_no_span_holds_more_than_the_limit_and_nobody_is_refused_below_it(
    limit: int, seconds: int, steps: list[int]
) -> None:
    throttle, taken, admitted, now = Throttle(limit, seconds), list[datetime](), list[datetime](), NOW
    for step in steps:
        now += timedelta(seconds=step)
        recent = sum(at > now - timedelta(seconds=seconds) for at in admitted)
        passed, taken = admit(taken, throttle, now)
        assert passed == (recent < limit)
        assert len(taken) <= limit
        if passed:
            admitted.append(now)


@given(st.integers(2, 7), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=8))
def test_every_item_is_in_one_digest_and_each_but_the_last_is_full(size: int, batches: list[tuple[int, int]]) -> None:
    """However the items come in batches: (how many, how urgent)."""
    ids = (UUID(int=n) for n in count(1))
    decision = Digested(Gathered.DAILY, "daily", NOW, size)
    open_ = Digest(next(ids), "digest-daily", 0, size, NOW, 3)
    digests, place, items = {open_.id: open_}, dict[UUID, UUID](), count(1000)
    for amount, urgency in batches:
        if open_.full:  # the next batch finds none that collects
            open_ = Digest(next(ids), "digest-daily", 0, size, NOW, 3)
        wanted = [(UUID(int=next(items)), decision, urgency) for _ in range(amount)]
        filled, places = collect(open_, wanted, lambda: next(ids))
        digests |= {digest.id: digest for digest in filled}
        place |= places
        open_ = filled[-1]
    assert len(place) == sum(amount for amount, _ in batches)
    for digest in digests.values():
        assert digest.items == sum(where == digest.id for where in place.values()) <= size
        assert digest.full or digest.id == open_.id
    if place:
        assert min(digest.urgency for digest in digests.values()) == min(u for n, u in batches if n)


def person(document: str | None = None, email: str = "a@b", **more: object) -> Person:
    return Person({"email": email}, preferences(document), **more)  # type: ignore[arg-type]


QUIET = '{"snoozedUntil": "2026-11-21T12:00:00Z"}'
NEVER_LOUD = '{"quietHours": {"windows": [{"start": "00:00", "end": "00:00"}]}}'


@pytest.mark.parametrize(
    ("who", "items", "outcome"),
    [
        (person(), 3, Closed("planned", "digest")),
        (person(), 0, Closed(None, None)),
        (None, 3, Closed("suppressed", "unknown-person")),
        (person("[]"), 3, Closed("suppressed", "preferences-unreadable")),
        (person('{"unsubscribed": {"email": ["*"]}}'), 3, Closed("suppressed", "unsubscribed")),
        (person('{"unsubscribed": {"email": ["task.assigned"]}}'), 3, Closed("planned", "digest")),
        (person('{"channels": {"email": false}}'), 3, Closed("suppressed", "channel-off")),
        (person(email=""), 3, Closed("suppressed", "no-address")),
        (person(suppressed=frozenset({"email"})), 3, Closed("suppressed", "address-suppressed")),
        (person(QUIET), 3, Postponed(NOW + timedelta(hours=2))),
        (person(NEVER_LOUD), 3, Closed("planned", "digest")),
    ],
)
def test_what_becomes_of_a_digest(who: Person | None, items: int, outcome: Closed | Postponed) -> None:
    assert close(who, "email", items, NOW) == outcome
