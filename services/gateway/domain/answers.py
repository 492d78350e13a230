"""Answers to what agents ask people: `request_help` with its options (S17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from libs.runtime.clock import iso
from libs.runtime.ids import derived
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent, Source
from services.gateway.domain.inbox import Row

MAX_ANSWER = 4_000  # characters
_QUESTION = ("agent.event", "request_help")
_ANSWER = "message"  # what an agent is sent is a message to it


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent asked. `options` None: any text is an answer."""

    notification: UUID
    tenant: str
    agent: str
    metadata: dict[str, Any]
    options: tuple[str, ...] | None

    def takes(self, value: str) -> bool:
        """Whether this is one of the answers that it offers."""
        return 0 < len(value) <= MAX_ANSWER and (self.options is None or value in self.options)


class Answer(NamedTuple):
    """Who answered what. `is_new`: it is the first."""

    user: str
    value: str
    at: datetime
    is_new: bool = False


def question(tenant: str, row: Row) -> Question | None:
    """The question that a notification asks, or None when it asks none that could be answered."""
    metadata = orjson.loads(row["metadata"])
    if (row["event"], row["name"]) != _QUESTION or not isinstance(metadata.get("agentId"), str):
        return None
    data = orjson.loads(row["data"]) if row["data"] is not None else {}
    given = data.get("options")
    options = tuple(_text(option) for option in given) if isinstance(given, list) and given else None
    return Question(row["id"], tenant, metadata["agentId"], metadata, options)


def _text(option: Any) -> str:
    """An option is a text, or an object with a `value`."""
    return str(option.get("value", "")) if isinstance(option, dict) else str(option)


def event(asked: Question, value: str, user: str, type_: str, now: datetime) -> AcceptedEvent:
    """What the agent is sent: a notification in its own room, so that one that is away finds it when it comes back."""
    kept = ("correlationId", "orgId", "userId", "agentId")
    metadata = {name: asked.metadata[name] for name in kept if name in asked.metadata}
    return AcceptedEvent(
        id=derived("answer", asked.tenant, str(asked.notification)),
        tenant=asked.tenant,
        event="agent.event",
        type=type_,
        name=_ANSWER,
        title="Answer",
        message=value,
        metadata=metadata | {"timestamp": iso(now)},
        data={"inResponseTo": str(asked.notification), "value": value, "answeredBy": user},
        recipients=Recipients(agent_ids=(asked.agent,)),
        channels=("in-app",),
        accepted_at=now,
        source=Source(topic="http"),
    )
