"""Puts accepted events on the fast lane or the bulk lane of their topic."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libs.runtime.logging import get_logger
from libs.runtime.quota import Quota
from libs.schemas.topics import BULK, TYPED
from services.ingest.domain.admission import Accepted
from services.ingest.domain.lanes import NOTICE, Diversion, Lane, Shares, follows
from services.ingest.errors import Retryable
from services.ingest.metrics import DIVERTED, DIVERTED_TENANTS
from services.ingest.ports.publishing import Diversions, Ends, Outgoing

_LOOK = 0.25  # seconds: several times within the notice of a diversion
_HELD_LOOK = 0.02

_log = get_logger(__name__)


class Lanes:
    """Knows the tenants that are diverted. `prefix` is that of the topics' names."""

    def __init__(self, quota: Quota, diversions: Diversions, ends: Ends, prefix: str) -> None:
        self._shares, self._store, self._ends, self._prefix = Shares(quota), diversions, ends, prefix
        self._diverted: dict[str, Diversion] = {}
        self._over: set[str] = set()
        self._looked = 0.0
        self._follows: dict[str, dict[str, bytes]] = {}  # by tenant and event, once its diversion is in effect

    async def place(self, accepted: Sequence[Accepted]) -> list[Outgoing]:
        """The records, each for its lane. Waits while a tenant changes lanes. Raises Retryable."""
        self._over |= self._shares.count([event.tenant for event in accepted], self._now())
        if not self._diverted:
            return [_fast(event) for event in accepted]
        bulk = {tenant for tenant in {event.tenant for event in accepted} if await self._is_diverted(tenant)}
        return [self._bulk(event) if event.tenant in bulk else _fast(event) for event in accepted]

    async def refresh(self) -> None:
        """Looks at what other processes have announced. Raises Retryable."""
        asked = self._now()
        self._diverted, self._looked = await self._store.current(), asked
        self._follows = {tenant: kept for tenant, kept in self._follows.items() if tenant in self._diverted}
        DIVERTED_TENANTS.set(len(self._diverted))

    async def keep_fresh(self) -> None:
        """Runs for ever. While PostgreSQL is away nothing changes lanes."""
        while True:
            try:
                await self._look()
            except Retryable as fault:
                _log.warning("lanes_held", errors=str(fault))
            await asyncio.sleep(_LOOK)

    async def _look(self) -> None:
        over, self._over = self._over, set()
        if over:
            await self._store.announce(over)
        await self.refresh()
        now = self._now()
        self._shares.forget(now)
        ending = [tenant for tenant, diversion in self._diverted.items() if diversion.may_end(now)]
        settled = [tenant for tenant, diversion in self._diverted.items() if diversion.is_settled(now)]
        if not (ending or settled) or not await self._bulk_is_read():
            return
        for tenant in ending:
            await self._store.end(tenant)
        for tenant in settled:
            await self._store.remove(tenant)
            _log.info("tenant_back", tenant_id=tenant)

    async def _is_diverted(self, tenant: str) -> bool:
        while True:
            diversion, now = self._diverted.get(tenant), self._now()
            if diversion is None:
                return False
            lane = diversion.lane(now)
            if lane is Lane.FAST:
                return False
            # Who has not looked for as long as a notice takes may have missed that the tenant comes back.
            if lane is Lane.BULK and now - self._looked < NOTICE:
                if tenant not in self._follows:
                    await self._divert(tenant)
                return True
            await asyncio.sleep(_HELD_LOOK)

    async def _divert(self, tenant: str) -> None:
        # Nobody has produced to the fast lane for the tenant since the pause began: its ends are behind all of that.
        ends = await self._ends.ends([self._prefix + event for event in TYPED])
        self._follows[tenant] = {event: follows(ends[self._prefix + event]) for event in TYPED}
        _log.warning("tenant_diverted", tenant_id=tenant)

    async def _bulk_is_read(self) -> bool:
        """Whether the router has dealt with everything that is in the bulk lane."""
        names = [self._prefix + topic.name for topic in BULK.values()]
        ends, routed = await self._ends.ends(names), await self._store.routed(names)
        return all(
            end == 0 or routed.get((topic, number), 0) >= end for topic in names for number, end in ends[topic].items()
        )

    def _bulk(self, event: Accepted) -> Outgoing:
        DIVERTED.labels(event.event).inc()
        followed = self._follows[event.tenant][event.event]
        return Outgoing(BULK[event.event].name, event.key, event.value, event.traceparent, follows=followed)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _fast(event: Accepted) -> Outgoing:
    return Outgoing(event.event, event.key, event.value, event.traceparent)
