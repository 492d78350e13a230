"""The example events, by which door each enters, and who must be shown it and mailed."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from libs.runtime.clock import iso, utc_now

Door = Literal["kafka", "http"]

#: Who watches in the demo, by the name of their client.
MEMBER, ADMIN, SYSTEM_ADMIN, NEWCOMER, AGENT = (
    "user-456",
    "admin-123",
    "admin-001",
    "user-new-789",
    "agent-code-helper-123",
)
ORG, SYSTEM_ORG = "org-abc-456", "system-org"

_EVENTS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "examples.json").read_text())


@dataclass(frozen=True)
class Example:
    """One event to publish. `shown_to` are watchers, `mailed_to` users who must get a mail of it."""

    name: str
    door: Door
    shown_to: tuple[str, ...]
    mailed_to: tuple[str, ...] = ()

    def event(self, correlation_id: str) -> Mapping[str, Any]:
        """`{event, data}` as of now; its correlation id tells it from the same example of an earlier demo."""
        event = copy.deepcopy(_EVENTS[self.name])
        event["data"]["metadata"] |= {"timestamp": iso(utc_now()), "correlationId": correlation_id}
        return event


EXAMPLES: tuple[Example, ...] = (
    Example("announcement", "http", (MEMBER, ADMIN, NEWCOMER)),
    Example("user-created", "kafka", (MEMBER, ADMIN, NEWCOMER), (MEMBER, ADMIN, NEWCOMER)),
    Example("category-created", "http", (MEMBER, ADMIN, NEWCOMER)),
    Example("database-alert", "kafka", (SYSTEM_ADMIN,), (SYSTEM_ADMIN,)),
    Example("quota-alert", "http", (ADMIN,), (ADMIN,)),
    Example("agent-thinking", "kafka", (MEMBER, AGENT)),
    Example("agent-tool-use", "kafka", (MEMBER, AGENT)),
    Example("agent-request-help", "http", (MEMBER, AGENT), (MEMBER,)),
    Example("agent-completed", "kafka", (MEMBER, AGENT)),
)
