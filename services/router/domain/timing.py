"""What an event and its type say of its time: how urgent it is, when it is over, what it replaces or is sent with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from libs.catalogue.rendering import NotRendered, render
from libs.catalogue.types import NotificationType
from libs.schemas.events import MAX_ID_LENGTH
from libs.schemas.records import AcceptedEvent

_BY_SEVERITY = {"critical": 0, "high": 1, "normal": 2, "low": 3}
_BY_PRIORITY = {"URGENT": 0, "CRITICAL": 0, "HIGH": 1, "MEDIUM": 2, "NORMAL": 2, "LOW": 3}


def urgency(severity: str, priority: str | None) -> int:
    """0 (first) to 3 (last): what the priority says where one is given, and critical is always first (S16)."""
    by_severity = _BY_SEVERITY.get(severity, 2)
    return 0 if by_severity == 0 else _BY_PRIORITY.get(priority or "", by_severity)


def expiry(event: AcceptedEvent, kind: NotificationType) -> datetime | None:
    """When it is over: what the event says, else a time after it was accepted that its type says."""
    if event.expires_at is not None or kind.expires_after_seconds is None:
        return event.expires_at
    return event.accepted_at + timedelta(seconds=kind.expires_after_seconds)


def collapse_key(event: AcceptedEvent, kind: NotificationType, values: Mapping[str, Any]) -> str | None:
    """The key of the event, else that of its type, which replaces notifications of that type alone."""
    if event.collapse_key is not None or kind.collapse_key is None:
        return event.collapse_key
    filled = _filled(kind.collapse_key, values)
    return None if filled is None else bounded(f"{kind.key} {filled}")


def digest_key(kind: NotificationType, values: Mapping[str, Any]) -> str:
    """What the type collects by; nothing where it does not say, or the event does not have it."""
    source = kind.digest.key if kind.digest is not None else None
    return bounded(_filled(source, values) or "") if source else ""


def bounded(text: str) -> str:
    """A key as it is, or its hash where it is too long for an index."""
    return text if len(text) <= MAX_ID_LENGTH else hashlib.sha256(text.encode()).hexdigest()


def _filled(source: str, values: Mapping[str, Any]) -> str | None:
    try:
        return render(source, values).replace("\x00", "").strip() or None
    except NotRendered:
        return None
