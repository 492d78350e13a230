"""JSON for packets: orjson's speed, and the standard library for what orjson refuses."""

from __future__ import annotations

import json
from typing import Any

import orjson


class FastJson:
    """In the shape of the standard library's module. Bytes raise TypeError: they go as attachments."""

    @staticmethod
    def dumps(value: Any, **_options: Any) -> str:
        """Compact JSON. NaN is null, as in a browser."""
        return FastJson.encode(value).decode()

    @staticmethod
    def encode(value: Any) -> bytes:
        """The same as UTF-8."""
        try:
            return orjson.dumps(value)
        except TypeError:  # keys that are numbers, numbers above 64 bits, lone surrogates
            return json.dumps(value, separators=(",", ":")).encode()

    @staticmethod
    def loads(text: str) -> Any:
        """Any JSON. Raises ValueError."""
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:  # browsers escape lone surrogates
            return json.loads(text)
