"""The table of rules line by line: it names the line that decides, and only that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.catalogue.types import Digest, Throttle
from libs.rules.decisions import Because, Gathered, Later, Withheld
from libs.rules.person import Person
from libs.rules.preferences import Offer, decide
from libs.rules.trace import LINES, Outcome, trace
from libs.schemas.preferences import Choice, Preferences, QuietHours, QuietWindow

pytestmark = pytest.mark.covers("B7", "F2-2")

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KIND = shipped().find("service.event", "iam.user.created")

choices = st.one_of(
    st.booleans(),
    st.builds(
        Choice, frequency=st.sampled_from(["immediate", "daily"]), policy=st.sampled_from(["when_offline", None])
    ),
)
documents = st.builds(
    Preferences,
    channels=st.dictionaries(st.just("email"), choices),
    types=st.dictionaries(st.just(KIND.key), st.dictionaries(st.just("email"), choices)),
    muted_types=st.sampled_from([(), (KIND.key,)]),
    unsubscribed=st.sampled_from([{}, {"email": ("*",)}]),
    quiet_hours=st.sampled_from([None, QuietHours(windows=(QuietWindow(start="11:00", end="13:00"),))]),
    snoozed_until=st.sampled_from([None, NOON + timedelta(hours=3)]),
)
people = st.none() | st.builds(
    Person,
    st.sampled_from([{}, {"email": "ana@example.org"}]),
    st.none() | documents,
    suppressed=st.sampled_from([frozenset(), frozenset({"email"})]),
)
changes = st.fixed_dictionaries(
    {
        "mandatory": st.booleans(),
        "digest": st.sampled_from([None, Digest()]),
        "throttle": st.sampled_from([None, Throttle(limit=3, per_seconds=60)]),
        "email": st.sampled_from(["always", "when_offline", "never"]),
    }
)


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    return Offer(
        KIND.model_copy(update=draw(changes)),
        "email",
        NOON,
        named=draw(st.booleans()),
        deliverable=draw(st.booleans()),
        severity=draw(st.sampled_from(["normal", "critical"])),
        expires_at=draw(st.sampled_from([None, NOON, NOON + timedelta(days=9)])),
    )


def test_every_reason_has_one_line() -> None:
    listed = [str(reason) for line in LINES for reason in line.reasons]
    assert len(listed) == len(set(listed))
    later = {Withheld.THROTTLED}  # the throttle is asked inside the router's transaction
    assert set(listed) == {*Because, *Gathered, *Later, *Withheld} - later


@given(people, offers())
def test_exactly_one_line_decides_and_none_after_it_is_asked(person: Person | None, offer: Offer) -> None:
    decision, steps = trace(person, offer)
    assert decision == decide(person, offer)
    outcomes = [step.outcome for step in steps]
    decided = outcomes.index(Outcome.DECIDED)
    assert decision.reason in LINES[decided].reasons
    assert set(outcomes[:decided]) <= {Outcome.PASSED, Outcome.EXEMPT}
    assert set(outcomes[decided + 1 :]) <= {Outcome.NOT_ASKED}


@given(people, offers())
def test_what_does_not_apply_never_decides(person: Person | None, offer: Offer) -> None:
    decision, _ = trace(person, offer)
    line = next(line for line in LINES if decision.reason in line.reasons)
    assert not (line.yields and offer.severity == "critical")
    assert not (line.bends and person is not None and person.must_have(offer.kind, offer.channel))
