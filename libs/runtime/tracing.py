"""W3C trace context: a `traceparent` carried from the producer to the socket and into every log line."""

from __future__ import annotations

import re
import secrets

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")

HEADER = "traceparent"


def new_traceparent() -> str:
    """A traceparent for work that came without one."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def accepted(value: str | bytes | None) -> str:
    """The given traceparent when it is well formed, else a new one (as the specification asks)."""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value if value is not None and _TRACEPARENT.fullmatch(value) else new_traceparent()


def from_headers(headers: list[tuple[str, bytes]] | tuple[tuple[str, bytes], ...] | None) -> str:
    """The traceparent of a Kafka record's headers, or a new one."""
    return accepted(next((value for name, value in headers or () if name == HEADER), None))


def trace_id(traceparent: str) -> str:
    """The 32 hex digits that all spans of one trace share."""
    return traceparent.split("-")[1]
