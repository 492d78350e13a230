"""Where requests to addresses that others have given us may go: never into private networks by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit, urlunsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")
_MAX_LENGTH = 2_000


class BadAddress(ValueError):
    """Not an address of the web that may be asked."""


def may_reach(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether a connection to the address may be opened: it is public, or in a network that the operator allows."""
    inner = _embedded(address)
    return _is_public(inner) or any(inner in network for network in allowed)


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for: a translator would deliver to that one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or (address.sixtofour if address in _6TO4 else None) or address


def _is_public(address: Address) -> bool:
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return isinstance(address, IPv4Address) or not address.is_site_local


def web_address(url: str, *, plain: bool) -> str:
    """The address as it is asked for: https (`plain`: or http), its host in ASCII. Raises BadAddress."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        ascii_host = host if ":" in host else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        raise BadAddress("not an address of the web") from None
    if not ascii_host or len(url) > _MAX_LENGTH or parts.username is not None or parts.password is not None:
        raise BadAddress("not an address of the web, or one with a login in it")
    if parts.scheme not in (("https", "http") if plain else ("https",)):
        raise BadAddress("the address must be https")
    if not (parts.path + parts.query).isascii() or not url.isprintable() or " " in url:
        raise BadAddress("the address must be percent-encoded")
    shown = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    return urlunsplit((parts.scheme, f"{shown}:{port}" if port else shown, parts.path or "/", parts.query, ""))
