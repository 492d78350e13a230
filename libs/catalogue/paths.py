"""Paths into free data: `a.b.c`."""

from __future__ import annotations

from typing import Any


def at_path(data: Any, path: str) -> Any:
    """The value at `a.b.c`, or None."""
    for part in path.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data
