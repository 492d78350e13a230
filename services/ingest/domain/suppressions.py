"""Addresses that nothing is sent to, and how they are shown."""

from __future__ import annotations

from typing import Literal

SuppressedChannel = Literal["email", "sms"]
Reason = Literal["bounced", "complained", "opted-out", "unsubscribed", "manual"]

_HIDDEN = "•••"


def masked(channel: SuppressedChannel, address: str) -> str:
    """Enough of an address to recognise it by, and not enough to write to it."""
    address = address.strip()
    if channel == "email":
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}{_HIDDEN}@{domain}"
    return f"{address[:3]}{_HIDDEN}{address[-2:]}" if len(address) > 7 else _HIDDEN
