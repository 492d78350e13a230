"""Why a person was or was not told: answers from recorded facts, and where nothing is recorded from the same pure
functions that the router decides by, on the versions of that time, marked as derived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from libs.explaining.answers import AUDIENCE, IN_APP, Answer, Reason
from libs.explaining.facts import Facts
from libs.explaining.in_app import in_app
from libs.rules.preferences import Offer
from libs.rules.trace import Step, trace
from libs.schemas.events import ENDPOINT_CHANNELS

_IMPERSONAL = ENDPOINT_CHANNELS | {IN_APP}  # what is posted to endpoints is sent to no person


def explain(facts: Facts, deliveries: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """An answer for the audience, every room and every channel.

    `deliveries` are the rows (channel, state, reason, attempts) that are recorded for the person.
    """
    recorded = {row["channel"]: row for row in deliveries}
    channels = dict.fromkeys((*recorded, *(facts.named or (facts.kind.channels if facts.kind else ()))))
    return [_audience(facts), *in_app(facts), *_by_channel(facts, recorded, channels)]


def _audience(facts: Facts) -> Answer:
    if facts.own_room in facts.addressed:
        return Answer(AUDIENCE, "addressed", facts.rule, "in their own room", derived=False)
    stay = facts.stay_in_audience()
    if facts.reader in facts.excluded:
        return Answer(AUDIENCE, "not addressed", Reason.EXCLUDED, "the event, or its type, leaves them out", False)
    if stay is None:
        return Answer(AUDIENCE, "not addressed", Reason.OUTSIDE_AUDIENCE, _meant(facts))
    role = f" as {stay.role}" if stay.role else ""
    return Answer(AUDIENCE, "addressed", facts.rule, f"member of {stay.room}{role} by {stay.source} at that time")


def _meant(facts: Facts) -> str:
    return f"by rule {facts.rule} it was for {', '.join(facts.addressed) or 'nobody'}"


def _by_channel(facts: Facts, recorded: Mapping[str, Mapping[str, Any]], channels: Iterable[str]) -> list[Answer]:
    return [
        _recorded(facts, recorded[channel]) if channel in recorded else _derived(facts, channel)
        for channel in channels
        if channel in recorded or channel not in _IMPERSONAL
    ]


def _recorded(facts: Facts, row: Mapping[str, Any]) -> Answer:
    channel, detail = row["channel"], f"{row['attempts']} attempts"
    if channel in _IMPERSONAL or facts.kind is None:
        return Answer(channel, row["state"], row["reason"], detail, derived=False)
    state, reason, steps = _ruled(facts, channel)
    return Answer(
        channel, row["state"], row["reason"], f"{detail}; by the rules {state}, {reason}", derived=False, steps=steps
    )


def _derived(facts: Facts, channel: str) -> Answer:
    if facts.kind is None:
        return Answer(channel, "unknown", Reason.TYPE_GONE, "its type is not in the catalogue any more")
    state, reason, steps = _ruled(facts, channel)
    addressed = _audience(facts)
    if addressed.state != "addressed":
        detail = f"{addressed.detail}; had they been meant: {state}, {reason}"
        return Answer(channel, "not sent", addressed.reason, detail, steps=steps)
    waiting = [e.room for e in facts.expansions if not e.done and e.cursor < facts.reader and channel in e.channels]
    if waiting:
        detail = f"the members of {waiting[0]} are being decided; by the rules {state}, {reason}"
        return Answer(channel, "in flight", Reason.NOT_DECIDED_YET, detail, steps=steps)
    return Answer(channel, state, reason, f"addressed {addressed.detail}", steps=steps)


def _ruled(facts: Facts, channel: str) -> tuple[str, str, tuple[Step, ...]]:
    assert facts.kind is not None
    offer = Offer(
        facts.kind,
        channel,
        facts.planned_at,
        named=bool(facts.named),
        deliverable=channel in facts.deliverable,
        severity=facts.severity,
        expires_at=facts.expires_at,
    )
    decision, steps = trace(facts.person, offer)
    return decision.state, decision.reason, steps
