"""One valid event of each kind, as upstream services publish them."""

from __future__ import annotations

import copy
from typing import Any

METADATA = {"correlationId": "c-1", "orgId": "org-1", "userId": "user-1", "timestamp": "2025-10-17T10:00:00Z"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "system.notification": {
        "event": "system.notification",
        "data": {"title": "New feature", "message": "It is here", "severity": "low", "metadata": METADATA},
    },
    "service.event": {
        "event": "service.event",
        "data": {
            "name": "iam.user.created",
            "metadata": METADATA,
            "data": {"_id": "user-2", "email": "a@example.test"},
        },
    },
    "service.alert": {
        "event": "service.alert",
        "data": {"title": "Quota", "message": "85 % used", "severity": "high", "metadata": METADATA},
    },
    "agent.event": {
        "event": "agent.event",
        "data": {
            "name": "request_help",
            "title": "Which one?",
            "message": "I need to know",
            "metadata": METADATA | {"agentId": "agent-1"},
            "data": {"question": "Which one?", "options": ["a", "b"]},
        },
    },
}


def example(event: str, **changes: Any) -> dict[str, Any]:
    """A copy of the example with members of its `data` replaced; None takes a member away."""
    found = copy.deepcopy(EXAMPLES[event])
    found["data"] |= changes
    found["data"] = {name: value for name, value in found["data"].items() if value is not None}
    return found
