"""Whether a person is shown a notification: it exists for them in the first of its rooms that they may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from libs.explaining.answers import IN_APP, SHOWN, Answer, Reason
from libs.explaining.facts import Entry, Facts, Interval
from libs.rules.preferences import disturbs
from libs.schemas import rooms


def in_app(facts: Facts) -> list[Answer]:
    """One answer a room, in their order."""
    if not facts.entries:
        return [_nowhere(facts)]
    answers: list[Answer] = []
    home: str | None = None
    for entry in facts.entries:
        answer = _in_room(facts, entry)
        if answer.state == SHOWN and home is not None:
            answer = Answer(entry.room, "not shown", Reason.SHOWN_ELSEWHERE, f"for them it is in {home} already")
        elif answer.state == SHOWN:
            home, answer = entry.room, _unless_hidden(facts, answer)
        answers.append(answer)
    return answers


def _nowhere(facts: Facts) -> Answer:
    if facts.withdrawn is not None:
        return Answer(IN_APP, "not shown", facts.withdrawn, "it was before it was planned", derived=False)
    if facts.expires_at is not None and facts.expires_at <= facts.planned_at:
        return Answer(IN_APP, "not shown", Reason.EXPIRED, "its time was over when it was planned", derived=False)
    return Answer(IN_APP, "not shown", Reason.NOT_IN_APP, "in-app is not among its channels")


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


def _unless_hidden(facts: Facts, answer: Answer) -> Answer:
    """What they may read and are not shown all the same, and why; else whether it made a sound."""
    where = answer.where
    if facts.reader in facts.excluded and where != facts.own_room:
        return Answer(where, "hidden", Reason.EXCLUDED, "the event, or its type, leaves them out", derived=False)
    withdrawn = facts.withdrawn_in.get(where, facts.withdrawn)
    if withdrawn is not None:
        return Answer(where, "hidden", withdrawn, "it was withdrawn after it was shown", derived=False)
    if facts.over:
        return Answer(where, "hidden", Reason.EXPIRED, "its time is over")
    if facts.muted_since is not None:
        whose = "the tenant hid the type by default" if facts.by_default else "they had muted the type"
        reason = Reason.DEFAULT_OFF if facts.by_default else Reason.TYPE_MUTED
        detail = f"{whose} since {facts.muted_since:%Y-%m-%d %H:%M:%S %Z}"
        return Answer(where, "hidden", reason, detail, derived=False)
    if where == facts.own_room and _silent(facts):
        return replace(answer, detail=f"{answer.detail}, without sound: they were not to be disturbed")
    return answer


def _silent(facts: Facts) -> bool:
    person, kind = facts.person, facts.kind
    return person is not None and kind is not None and not disturbs(person, kind, facts.severity, facts.planned_at)
