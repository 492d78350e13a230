"""A tenant's endpoints: what may be registered, and what of them is shown."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from urllib.parse import urlsplit

from libs.outbound.addresses import BadAddress, web_address

SECRET_BYTES = 32
#: The one in use and those that a receiver may still know.
MAX_SECRETS = 3
_HOSTS = {
    "slack": ("hooks.slack.com",),
    "discord": ("discord.com", "discordapp.com"),
}


def secret_of(random: bytes) -> str:
    """A Standard Webhooks secret."""
    return "whsec_" + base64.b64encode(random).decode()


def rotated(secrets: Sequence[str], new: str) -> list[str]:
    """The new one first: all of them sign, until the old ones are taken out."""
    return [new, *secrets][:MAX_SECRETS]


def shown_url(channel: str, url: str) -> str:
    """An address of a chat is a secret in itself: its host is enough to recognise it by."""
    return url if channel == "webhook" else f"https://{urlsplit(url).hostname}/…"


def fault_of_url(channel: str, url: str, *, plain: bool) -> str | None:
    """Why an address cannot be registered, or None. `plain`: private networks are allowed, for development."""
    try:
        address = web_address(url, plain=plain)
    except BadAddress as error:
        return str(error)
    hosts = _HOSTS.get(channel)
    host = urlsplit(address).hostname or ""
    if hosts and not plain and not any(host == h or host.endswith(f".{h}") for h in hosts):
        return f"the address of an incoming webhook of {channel} is at {' or '.join(hosts)}"
    return None
