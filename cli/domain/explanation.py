"""Why a person was or was not shown a notification, and was or was not sent it: answers from recorded facts, and where
nothing is recorded from the same pure functions that the router decides by, marked as derived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from libs.catalogue.types import NotificationType
from libs.rules.person import Person
from libs.rules.preferences import Offer, decide
from libs.schemas import rooms
from libs.schemas.events import ENDPOINT_CHANNELS

IN_APP = "in-app"
SHOWN = "shown"  # the state in which a person sees it


class Reason(StrEnum):
    """Why in-app, and why nothing is recorded on a channel. Codes of docs/errors.md."""

    SHOWN = "shown"
    SHOWN_ELSEWHERE = "shown-elsewhere"
    NOT_A_MEMBER = "not-a-member"
    JOINED_LATER = "joined-later"
    LEFT_BEFORE = "left-before"
    OTHERS_ROOM = "others-room"
    NOT_IN_APP = "not-in-app"
    OUTSIDE_AUDIENCE = "outside-audience"
    NOT_DECIDED_YET = "not-decided-yet"
    TYPE_GONE = "type-gone"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the notification stands in one room."""

    room: str
    seq: int


@dataclass(frozen=True, slots=True)
class Interval:
    """One stay of the person in a group room."""

    room: str
    joined_at: datetime
    joined_seq: int
    left_at: datetime | None
    left_seq: int | None
    role: str | None
    source: str

    def covers(self, seq: int) -> bool:
        """Whether the person may read this entry of the room."""
        return self.joined_seq < seq and (self.left_seq is None or seq <= self.left_seq)

    def holds(self, at: datetime) -> bool:
        """Whether the person was a member at this time."""
        return self.joined_at <= at and (self.left_at is None or at < self.left_at)


@dataclass(frozen=True, slots=True)
class Expanding:
    """A group whose members are decided one by one; those up to `cursor` have been."""

    room: str
    channels: tuple[str, ...]
    as_of: datetime
    cursor: str
    done: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored about one notification and one person. `reader` is a user id, or `agent:{id}`.

    `addressed` are the rooms of the audience, also where nothing is shown in-app. `named` are the channels that the
    event itself names. `person` is as the directory has it now, with the preferences of the planning time.
    `deliverable` are the external channels in use.
    """

    reader: str
    planned_at: datetime
    entries: tuple[Entry, ...]
    addressed: tuple[str, ...]
    named: tuple[str, ...]
    kind: NotificationType | None
    intervals: tuple[Interval, ...]
    expansions: tuple[Expanding, ...]
    person: Person | None
    deliverable: Set[str]
    severity: str = "normal"
    expires_at: datetime | None = None

    @property
    def own_room(self) -> str:
        """The person's own room."""
        return self.reader if self.reader.startswith("agent:") else rooms.user(self.reader)


@dataclass(frozen=True, slots=True)
class Answer:
    """What happened on one channel or in one room, and why. `derived`: worked out now, not recorded then."""

    where: str
    state: str
    reason: str
    detail: str
    derived: bool = True


def explain(facts: Facts, deliveries: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """An answer for every room and every channel; `deliveries` are the rows that are recorded for the person."""
    recorded = [
        Answer(row["channel"], row["state"], row["reason"], f"{row['attempts']} attempts", derived=False)
        for row in deliveries
    ]
    return [*in_app(facts), *recorded, *by_channel(facts, {answer.where for answer in recorded})]


def in_app(facts: Facts) -> list[Answer]:
    """One answer a room: a person is shown a notification in the first of its rooms that they may read."""
    if not facts.entries:
        return [Answer(IN_APP, "not shown", Reason.NOT_IN_APP, "in-app is not among its channels")]
    answers: list[Answer] = []
    shown: str | None = None
    for entry in facts.entries:
        answer = _in_room(facts, entry)
        if answer.reason == Reason.SHOWN and shown is not None:
            answer = Answer(entry.room, "not shown", Reason.SHOWN_ELSEWHERE, f"it is shown in {shown} already")
        elif answer.reason == Reason.SHOWN:
            shown = entry.room
        answers.append(answer)
    return answers


def _in_room(facts: Facts, entry: Entry) -> Answer:
    if entry.room == facts.own_room:
        return Answer(entry.room, SHOWN, Reason.SHOWN, f"their own room, seq {entry.seq}")
    if rooms.is_personal(entry.room):
        return Answer(entry.room, "not shown", Reason.OTHERS_ROOM, "somebody else's room")
    stays = [stay for stay in facts.intervals if stay.room == entry.room]
    for stay in stays:
        if stay.covers(entry.seq):
            role = f" as {stay.role}" if stay.role else ""
            detail = f"member{role} by {stay.source} from seq {stay.joined_seq}, this is seq {entry.seq}"
            return Answer(entry.room, SHOWN, Reason.SHOWN, detail)
    return _unreadable(entry, stays)


def _unreadable(entry: Entry, stays: Sequence[Interval]) -> Answer:
    if not stays:
        return Answer(entry.room, "not shown", Reason.NOT_A_MEMBER, "never a member")
    before = [stay.left_seq for stay in stays if stay.left_seq is not None and stay.left_seq < entry.seq]
    if before:
        detail = f"left at seq {max(before)}, this is seq {entry.seq}"
        return Answer(entry.room, "not shown", Reason.LEFT_BEFORE, detail)
    joined = min(stay.joined_seq for stay in stays)
    return Answer(entry.room, "not shown", Reason.JOINED_LATER, f"joined at seq {joined}, this is seq {entry.seq}")


def by_channel(facts: Facts, recorded: Set[str]) -> list[Answer]:
    """An answer for every external channel of the notification on which nothing is recorded."""
    channels = facts.named or (facts.kind.channels if facts.kind else ())
    answered = recorded | ENDPOINT_CHANNELS | {IN_APP}  # what is posted to endpoints is sent to no person
    return [_on_channel(facts, channel) for channel in channels if channel not in answered]


def _on_channel(facts: Facts, channel: str) -> Answer:
    through = _addressed_through(facts)
    if through is None:
        detail = f"was not in the audience at the planning time: {', '.join(facts.addressed) or 'nobody'}"
        return Answer(channel, "not sent", Reason.OUTSIDE_AUDIENCE, detail)
    waiting = [e.room for e in facts.expansions if not e.done and e.cursor < facts.reader and channel in e.channels]
    if waiting:
        return Answer(channel, "in flight", Reason.NOT_DECIDED_YET, f"the members of {waiting[0]} are being decided")
    if facts.kind is None:
        return Answer(channel, "unknown", Reason.TYPE_GONE, "its type is not in the catalogue any more")
    offer = Offer(
        facts.kind,
        channel,
        facts.planned_at,
        named=bool(facts.named),
        deliverable=channel in facts.deliverable,
        severity=facts.severity,
        expires_at=facts.expires_at,
    )
    decision = decide(facts.person, offer)
    return Answer(channel, decision.state, decision.reason, f"addressed through {through}")


def _addressed_through(facts: Facts) -> str | None:
    if facts.own_room in facts.addressed:
        return facts.own_room
    moments = {expansion.room: expansion.as_of for expansion in facts.expansions}
    for stay in facts.intervals:
        if stay.room in facts.addressed and stay.holds(moments.get(stay.room, facts.planned_at)):
            return stay.room
    return None
