"""The clock at the edge. The domain never asks for the time: it is given `now`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now, with its zone."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """`2025-10-17T10:00:00.000Z`: how every timestamp stands on the wire."""
    return moment.astimezone(UTC).isoformat("T", "milliseconds")[:-6] + "Z"
