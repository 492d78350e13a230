"""What replaying a dead letter means: the original record sent again, or a delivery planned again."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from uuid import UUID

from libs.schemas import topics
from libs.schemas.records import DeadLetter

#: The topics that hold dead letters.
DEAD = (topics.NOTI_INVALID.name, topics.EVENTS_DEAD.name, topics.DELIVERY_DEAD.name)
_TARGETS = frozenset({topics.NOTI.name, topics.DIRECTORY.name, *topics.TYPED})


@dataclass(frozen=True, slots=True)
class Position:
    """Where a dead letter stands; `topic` is its whole name."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """Reads `topic:partition:offset`. Raises ValueError."""
        topic, *numbers = text.rsplit(":", 2)
        if len(numbers) != 2 or not topic or not all(number.isdecimal() for number in numbers):
            raise ValueError(f"{text!r} is not topic:partition:offset")
        return cls(topic, int(numbers[0]), int(numbers[1]))


@dataclass(frozen=True, slots=True)
class Resend:
    """The original record, to be sent to the topic that it was read from."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class PlanAgain:
    """A failed delivery, to be due at once with all its attempts before it."""

    tenant: str
    delivery: UUID


@dataclass(frozen=True, slots=True)
class Impossible:
    """It cannot be replayed, and why."""

    reason: str


def plan(letter: DeadLetter, position: Position, prefix: str) -> Resend | PlanAgain | Impossible:
    """What to do for a letter. Doing it twice has the effect of doing it once: ids do not change."""
    if position.topic == prefix + topics.DELIVERY_DEAD.name:
        if letter.tenant is None or letter.id is None:
            return Impossible("it names no delivery")
        return PlanAgain(letter.tenant, letter.id)
    name = letter.source.topic.removeprefix(prefix)
    if name not in _TARGETS:
        return Impossible(f"it was read from {letter.source.topic}, to which nothing is replayed")
    if letter.value is None:
        return Impossible("the original record was empty or too large to be kept")
    key = base64.b64decode(letter.key) if letter.key is not None else None
    return Resend(prefix + name, key, base64.b64decode(letter.value), _headers(letter, position))


def _headers(letter: DeadLetter, position: Position) -> tuple[tuple[str, bytes], ...]:
    """The original ones. An event that nobody named is named by where it first stood, however often it is sent."""
    headers = dict(letter.headers)
    if "idempotency-key" not in headers and not {"ce_source", "ce_id"} <= headers.keys():
        source = letter.source
        headers["idempotency-key"] = f"{source.topic}:{source.partition}:{source.offset}"
    headers["carillon-replay-of"] = str(position)
    return tuple((name, text.encode()) for name, text in headers.items())
