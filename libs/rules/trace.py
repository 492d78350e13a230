"""The rules about a person one by one: which was asked, which decided, which did not apply (libs.rules.preferences)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from libs.rules.decisions import Because, Decision, Deferred, Digested, Gathered, Later, Planned, Withheld
from libs.rules.person import Person
from libs.rules.preferences import Offer, decide
from libs.runtime.clock import iso


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: the reasons that it decides with. `bends`: not asked of a mandatory type (†), `yields`: nor
    where the severity is critical (‡)."""

    rule: str
    reasons: tuple[str, ...]
    bends: bool = False
    yields: bool = False


LINES: tuple[Line, ...] = (
    Line("somebody delivers on the channel", (Withheld.CHANNEL_UNAVAILABLE,)),
    Line("the type may be sent on the channel", (Withheld.CHANNEL_NOT_ALLOWED,)),
    Line("the catalogue does not keep the type off the channel", (Withheld.TYPE_NEVER,)),
    Line("its time is not over", (Withheld.EXPIRED,)),
    Line("the directory knows the person", (Withheld.UNKNOWN_PERSON,)),
    Line("their preferences can be read", (Withheld.PREFERENCES_UNREADABLE,), bends=True),
    Line("they have not unsubscribed", (Withheld.UNSUBSCRIBED,), bends=True),
    Line("they have not muted the type", (Withheld.TYPE_MUTED,), bends=True),
    Line("the type is not off on the channel", (Withheld.TYPE_OFF,), bends=True),
    Line("its category is not off on the channel", (Withheld.CATEGORY_OFF,), bends=True),
    Line("the channel is not off", (Withheld.CHANNEL_OFF,), bends=True),
    Line("it is not off by default", (Withheld.DEFAULT_OFF,), bends=True),
    Line("they have an address for the channel", (Withheld.NO_ADDRESS,)),
    Line("the address is not suppressed", (Withheld.ADDRESS_SUPPRESSED,)),
    Line("quiet hours do not drop it", (Withheld.QUIET_HOURS,), bends=True, yields=True),
    Line(
        "they do not want it by the hour, day or week",
        (Gathered.HOURLY, Gathered.DAILY, Gathered.WEEKLY),
        bends=True,
        yields=True,
    ),
    Line("the type does not collect", (Gathered.BY_TYPE,), bends=True, yields=True),
    Line("it is not quiet", (Later.QUIET_HOURS, Later.SNOOZED), yields=True),
    Line("it is not only for who is on no socket", (Later.WHEN_OFFLINE,), bends=True),
    Line("it is sent", (Because.CHANNEL_NAMED, Because.TYPE_DEFAULT)),
)


class Outcome(StrEnum):
    """What became of a rule."""

    PASSED = "passed"
    EXEMPT = "does not apply"
    DECIDED = "decided"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule, by its line in the table (from 1). `why` says more where the rule decided or did not apply."""

    line: int
    rule: str
    outcome: Outcome
    why: str | None = None


def trace(person: Person | None, offer: Offer) -> tuple[Decision, tuple[Step, ...]]:
    """The decision of libs.rules.preferences.decide, and how every line of the table came out on the way to it."""
    decision = decide(person, offer)
    return decision, tuple(_steps(person, offer, decision))


def _steps(person: Person | None, offer: Offer, decision: Decision) -> Iterator[Step]:
    outcome = Outcome.PASSED
    for number, line in enumerate(LINES, 1):
        if decision.reason in line.reasons:
            yield Step(number, line.rule, Outcome.DECIDED, _said(decision))
            outcome = Outcome.NOT_ASKED
            continue
        exempt = _exempt(line, person, offer) if outcome is Outcome.PASSED else None
        yield Step(number, line.rule, Outcome.EXEMPT if exempt else outcome, exempt)


def _exempt(line: Line, person: Person | None, offer: Offer) -> str | None:
    if line.yields and offer.severity == "critical":
        return "the severity is critical"
    return "the type is mandatory" if line.bends and person and person.must_have(offer.kind, offer.channel) else None


def _said(decision: Decision) -> str:
    match decision:
        case Digested():
            return f"{decision.reason}, until {iso(decision.closes_at)}"
        case Deferred():
            return f"{decision.reason}, until {iso(decision.until)}"
        case Planned(throttle=throttle) if throttle is not None:
            return f"{decision.reason}, at most {throttle.limit} in {throttle.seconds} s"
        case _:
            return decision.reason
