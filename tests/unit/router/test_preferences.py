"""What a person may be sent, and why not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.catalogue.types import NotificationType
from services.router.domain.decisions import Because, Decision, Planned, Suppressed, Withheld
from services.router.domain.preferences import Person, decide, refusal

pytestmark = pytest.mark.covers("F0-4", "S11", "F2-2")

ALERT = shipped().find("service.alert", None)
NEVER = ALERT.model_copy(update={"email": "never"})
EMAIL = frozenset({"email"})


def person(**preferences: Any) -> Person:
    return Person({"email": "a@b"}, preferences)


@pytest.mark.parametrize(
    ("who", "kind", "channel", "named", "decision"),
    [
        (person(), ALERT, "email", False, Planned(Because.TYPE_DEFAULT)),
        (person(), ALERT, "email", True, Planned(Because.CHANNEL_NAMED)),
        (person(), ALERT, "push", True, Suppressed(Withheld.CHANNEL_UNAVAILABLE)),
        (person(), NEVER, "email", False, Suppressed(Withheld.TYPE_NEVER)),
        (person(), NEVER, "email", True, Planned(Because.CHANNEL_NAMED)),
        (person(channels={"email": False}), ALERT, "email", True, Suppressed(Withheld.CHANNEL_OFF)),
        (person(types={"service.alert": {"email": False}}), ALERT, "email", True, Suppressed(Withheld.TYPE_OFF)),
        (
            person(channels={"email": False}, types={"service.alert": {"email": True}}),
            ALERT,
            "email",
            False,
            Planned(Because.TYPE_DEFAULT),
        ),
        (None, ALERT, "email", False, Suppressed(Withheld.UNKNOWN_PERSON)),
        (Person({}), ALERT, "email", False, Suppressed(Withheld.NO_ADDRESS)),
        (Person({"email": ""}), ALERT, "email", False, Suppressed(Withheld.NO_ADDRESS)),
    ],
)
def test_table(who: Person | None, kind: NotificationType, channel: str, named: bool, decision: Decision) -> None:
    assert decide(who, kind, channel, named=named, deliverable=EMAIL) == decision


junk = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3), lambda inner: st.dictionaries(st.text(max_size=3), inner)
)
switches = st.dictionaries(st.sampled_from(["email", "push"]), st.booleans() | junk)
documents = st.fixed_dictionaries(
    {}, optional={"channels": switches | junk, "types": st.dictionaries(st.just(ALERT.key), switches | junk) | junk}
)
people = st.none() | st.builds(
    Person, st.dictionaries(st.sampled_from(["email", "push"]), st.sampled_from(["", "a@b"])), documents
)
channels = st.sampled_from(["email", "push"])
deliverables = st.frozensets(channels)


@given(people, channels, st.booleans(), deliverables)
def test_every_document_has_an_answer(who: Person | None, channel: str, named: bool, able: frozenset[str]) -> None:
    decision = decide(who, NEVER, channel, named=named, deliverable=able)
    assert decision == decide(who, NEVER, channel, named=named, deliverable=able)
    refused = refusal(NEVER, channel, named=named, deliverable=able)
    assert refused is None or decision == Suppressed(refused), "what nobody gets, no one person gets"


@given(people.filter(bool), channels, st.booleans(), st.sampled_from(["channels", "types"]))
def test_turning_off_adds_nothing(who: Person, channel: str, named: bool, where: str) -> None:
    """Whatever else a document says: with one more thing turned off, nothing is sent that was not sent before."""
    off: dict[str, Any] = {channel: False} if where == "channels" else {ALERT.key: {channel: False}}
    quieter = Person(who.addresses, {**who.preferences, where: off})
    before = decide(who, ALERT, channel, named=named, deliverable=EMAIL)
    after = decide(quieter, ALERT, channel, named=named, deliverable=EMAIL)
    assert isinstance(before, Planned) or isinstance(after, Suppressed)
    assert where == "channels" or isinstance(after, Suppressed)


@given(people, channels, deliverables)
def test_naming_the_channel_withholds_nothing(who: Person | None, channel: str, able: frozenset[str]) -> None:
    if isinstance(decide(who, NEVER, channel, named=False, deliverable=able), Planned):
        assert isinstance(decide(who, NEVER, channel, named=True, deliverable=able), Planned)
