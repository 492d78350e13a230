"""Paths into free data: `a.b.c`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: Stands for what is not to be shown.
MASK = "•••"


def at_path(data: Any, path: str) -> Any:
    """The value at `a.b.c`, or None."""
    for part in path.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data


def masked(data: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """The data with a mask for whatever stands at the paths; what was given stays as it is."""
    for path in paths:
        data = _masked(data, path.split("."))
    return data


def _masked(data: dict[str, Any], parts: list[str]) -> dict[str, Any]:
    first, *rest = parts
    there = data.get(first)
    if there is None:
        return data
    if rest:
        return data | {first: _masked(there, rest)} if isinstance(there, dict) else data
    return data | {first: MASK}
