"""Lengths of time as people type them: `90s`, `15m`, `8h`, `30d`."""

from __future__ import annotations

import re
from datetime import timedelta

_PATTERN = re.compile(r"^(\d+)([smhd])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse(text: str) -> timedelta:
    """The length of time. Raises ValueError saying what is expected."""
    match = _PATTERN.match(text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a length of time like 90s, 15m, 8h or 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
