"""Connections to addresses that others have given us: every name is resolved and looked at before it is connected to.

The check is made where the connection is opened, on the very addresses that are connected to: a name that resolves to
something else a moment later (DNS rebinding) gains nothing, and every hop of a redirect passes through here as well.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any

import httpcore

from libs.outbound.addresses import Network, may_reach


class Forbidden(Exception):
    """The name leads to where nothing may be sent."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to public addresses and to the `allowed` networks alone."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed, self._inner = allowed, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises Forbidden when any address of the name may not be reached, OSError when it has none."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not all(may_reach(ip_address(address.partition("%")[0]), self._allowed) for address in addresses):
            raise Forbidden(host)
        failed: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError("the name has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 - the interface's
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - the interface's
    ) -> httpcore.AsyncNetworkStream:
        """Never: a file is no public address."""
        raise Forbidden(path)

    async def sleep(self, seconds: float) -> None:
        """As the event loop does it."""
        await self._inner.sleep(seconds)
