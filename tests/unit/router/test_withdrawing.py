"""Collapse keys: what the newer replaces, however the events come in batches (B1)."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.schemas.events import Recipients
from services.router.domain.audience import AudienceRules, resolve
from services.router.domain.notification import Notification
from services.router.domain.placing import CONTROL, entries
from services.router.domain.planning import plan
from services.router.domain.withdrawing import HolderKey, Withdrawn, collapse
from tests.unit.router.events import accepted, received
from tests.unit.router.test_planning import HERE

pytestmark = pytest.mark.covers("B1")

RULES = AudienceRules(frozenset(), "system-org", "system-admin")


def notification(users: frozenset[str], key: str | None) -> Notification:
    event = accepted(name="shop.order.updated", recipients=Recipients(user_ids=tuple(sorted(users))), collapse_key=key)
    kind = shipped().find(event.event, event.name)
    return plan(received(event), kind, resolve(event, kind, RULES), {}, HERE).notification


coming = st.lists(
    st.builds(notification, st.frozensets(st.sampled_from("abc"), min_size=1), st.sampled_from([None, "k", "l"])),
    max_size=10,
)


Step = tuple[UUID, bool, tuple[str, ...]]


@given(coming, st.lists(st.integers(0, 10), max_size=3))
def test_what_is_shown_does_not_depend_on_the_batches(those: list[Notification], cuts: list[int]) -> None:
    def run(bounds: list[int]) -> list[Step]:
        holders: dict[HolderKey, UUID] = {}
        rooms = {n.key: n.rooms for n in those}
        appended: list[Notification | Withdrawn] = []
        for start, stop in pairwise([0, *sorted(bounds), len(those)]):
            more, holders = collapse(those[start:stop], holders, rooms)
            appended += more
        return [(one.id, isinstance(one, Withdrawn), one.rooms) for one in appended]

    once = run([])
    assert once == run([cut for cut in cuts if cut <= len(those)])
    assert [id_ for id_, gone, _ in once if not gone] == [n.id for n in those]
    withdrawn = [(id_, room) for id_, gone, rooms in once if gone for room in rooms]
    assert len(set(withdrawn)) == len(withdrawn), "nothing is withdrawn twice"


@given(coming)
def test_in_every_room_the_newest_of_a_key_stands_and_no_other(those: list[Notification]) -> None:
    appended, _ = collapse(those, {}, {})
    standing: dict[str, list[Notification]] = {}
    by_id = {n.id: n for n in those}
    for at, one in enumerate(appended):
        if isinstance(one, Notification):
            for room in one.rooms:
                standing.setdefault(room, []).append(one)
            continue
        newer = next(n for n in appended[at:] if isinstance(n, Notification))
        assert set(one.rooms) <= set(newer.rooms), "nobody loses what nobody shows them anew"
        assert one.partial == (set(one.rooms) != set(by_id[one.id].rooms))
        for room in one.rooms:
            standing[room].remove(by_id[one.id])
    for room, left in standing.items():
        came = [n for n in those if room in n.rooms]
        newest = {n.collapse_key: n for n in came}
        assert left == [n for n in came if n.collapse_key is None or newest[n.collapse_key] is n]


def test_what_was_cancelled_is_not_withdrawn_again() -> None:
    older, newer = notification(frozenset("ab"), "k"), notification(frozenset("a"), "k")
    _, holders = collapse([older], {}, {})
    assert collapse([newer], holders, {}) == ([newer], holders | {(newer.tenant, "user:a", "k"): newer.id})


def test_a_control_entry_stands_right_before_the_newer() -> None:
    older, newer = notification(frozenset("a"), "k"), notification(frozenset("ab"), "k")
    appended, holders = collapse([older, newer], {}, {})
    found = entries(appended)
    assert list(zip(found.rooms, found.kinds, found.types, strict=True)) == [
        ("user:a", 0, older.type),
        ("user:a", CONTROL, "replaced"),
        ("user:a", 0, newer.type),
        ("user:b", 0, newer.type),
    ]
    assert set(holders.values()) == {newer.id}
