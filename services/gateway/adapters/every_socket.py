"""All kinds of sockets as one: the namespace says which, by what stands before its first slash."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from services.gateway.ports import Sockets

_MANY = 200  # sockets told one after the other: some 5 ms


class EverySocket:
    """See ports.Sockets. `kinds` by prefix: nothing for Socket.IO, whose namespaces begin with the slash."""

    def __init__(self, kinds: Mapping[str, Sockets]) -> None:
        self._kinds = kinds
        self._told = dict.fromkeys(kinds, 0)  # sockets since others were given a turn

    def emit(self, namespace: str, sids: Sequence[str], event: str, payload: Mapping[str, Any]) -> None:
        """See ports.Sockets."""
        self._telling(namespace, len(sids)).emit(namespace, sids, event, payload)

    def emit_personal(
        self, namespace: str, readers: Mapping[str, str], event: str, payload: Mapping[str, Any], field: str
    ) -> None:
        """See ports.Sockets."""
        self._telling(namespace, len(readers)).emit_personal(namespace, readers, event, payload, field)

    async def breathe(self) -> None:
        """See ports.Sockets. Between a few sockets it is not worth asking for."""
        for prefix, told in self._told.items():
            if told >= _MANY:
                self._told[prefix] = 0
                await self._kinds[prefix].breathe()

    def refuse(self, namespace: str, sid: str, reason: str | None = None) -> None:
        """See ports.Sockets."""
        self._kind(namespace).refuse(namespace, sid, reason)

    def drop(self, namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        self._kind(namespace).drop(namespace, sid)

    def ping(self, namespace: str, sid: str) -> None:
        """See ports.Sockets."""
        self._kind(namespace).ping(namespace, sid)

    async def drain(self, seconds: float) -> None:
        """See ports.Sockets."""
        await asyncio.gather(*(kind.drain(seconds) for kind in self._kinds.values()))

    async def sweep(self) -> None:
        """See ports.Sockets."""
        for kind in self._kinds.values():
            await kind.sweep()

    def _telling(self, namespace: str, sockets: int) -> Sockets:
        prefix = namespace.partition("/")[0]
        self._told[prefix] += sockets
        return self._kinds[prefix]

    def _kind(self, namespace: str) -> Sockets:
        return self._kinds[namespace.partition("/")[0]]
