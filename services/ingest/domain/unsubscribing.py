"""What an unsubscribe link changes in a person's preferences."""

from __future__ import annotations

from typing import Any

from libs.schemas.preferences import EVERYTHING


def without(document: dict[str, Any], channel: str, key: str, *, everything: bool) -> dict[str, Any]:
    """The document with a type, or everything, taken off a channel; the rest of it stays as it is written."""
    taken = dict(document.get("unsubscribed") or {})
    before = [] if everything else list(taken.get(channel) or ())
    named = EVERYTHING if everything else key
    return document | {"unsubscribed": taken | {channel: [*before, *([] if named in before else [named])]}}
