"""The text of a notification that came without one (S7)."""

from __future__ import annotations

import re
from typing import Any

from libs.catalogue.catalogue import NotificationType

_PATH = re.compile(r"\{([A-Za-z0-9_.]+)\}")


def text(kind: NotificationType, name: str | None, data: dict[str, Any] | None) -> tuple[str, str]:
    """(title, message) for an event of a type; `{event_name}` stands for the event's name."""
    values = {"event_name": name or kind.key}
    title = _fill(kind.title or "Resource Updated", values, data)
    message = _fill(kind.message or "{event_name} occurred", values, data)
    return title or "Resource Updated", message or kind.fallback_message or f"{values['event_name']} occurred"


def _fill(template: str, values: dict[str, str], data: dict[str, Any] | None) -> str | None:
    """The filled template, or None when a path leads nowhere or to something that is not plain text."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        found: Any = values.get(match[1])
        if found is None:
            found = at_path(data, match[1])
        if not isinstance(found, str | int | float):
            missing = True
            return ""
        return str(found)

    filled = _PATH.sub(value, template)
    return None if missing else filled


def at_path(data: Any, path: str) -> Any:
    """The value at `a.b.c`, or None."""
    for part in path.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data
