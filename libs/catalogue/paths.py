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


def put(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The data with another value at a path where there is one; what was given stays as it is."""
    first, _, rest = path.partition(".")
    return data | {first: put(data[first], rest, value) if rest else value}


def masked(data: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """The data with a mask for whatever stands at the paths; what was given stays as it is."""
    for path in paths:
        if at_path(data, path) is not None:
            data = put(data, path, MASK)
    return data
