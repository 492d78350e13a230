"""Answers to why and why not: one for the audience, one a room, one a channel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libs.rules.trace import Step

IN_APP, AUDIENCE = "in-app", "audience"
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
    EXCLUDED = "excluded"
    EXPIRED = "expired"
    TYPE_MUTED = "type-muted"
    DEFAULT_OFF = "default-off"
    OUTSIDE_AUDIENCE = "outside-audience"
    NOT_DECIDED_YET = "not-decided-yet"
    TYPE_GONE = "type-gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """What happened on one channel or in one room, and why. `derived`: worked out now, not recorded then.

    `steps` are the rules of that time one by one, where rules about a person decide.
    """

    where: str
    state: str
    reason: str
    detail: str
    derived: bool = True
    steps: tuple[Step, ...] = ()
