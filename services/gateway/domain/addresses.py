"""Where a client is, as far as that can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_V6_PREFIX = 64  # what one subscriber is given: single addresses in it are free to choose


def client_address(peer: str, forwarded_for: str | None, trusted: Sequence[Network]) -> str:
    """The address to count by: the last one of `X-Forwarded-For` that no trusted proxy has, or the peer's own.

    What stands before that was written by strangers. Of IPv6 it is the /64 network.
    """
    path = [part.strip() for part in forwarded_for.split(",")] if forwarded_for else []
    client = peer
    while path and _is_trusted(client, trusted):
        client = path.pop()
    return _counted(client)


def _is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in trusted)


@lru_cache(4_096)
def _counted(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped is not None else str(ip_network((address, _V6_PREFIX), strict=False))
    return str(address)
