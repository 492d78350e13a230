"""Presence: who is here is reported to the others, and whoever was at a gateway that died is taken out (F3-1, S19)."""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

from libs.runtime.logging import get_logger
from libs.schemas.records import PresenceChange
from services.gateway import metrics
from services.gateway.domain.commands import Fault, UpdatePresence
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.presence import Roster
from services.gateway.domain.session import Session
from services.gateway.handlers.ephemerals import Publishing
from services.gateway.live_ports import GatewaySwept, Presences

log = get_logger(__name__)

_AT_ONCE = 1_000  # people in a report, and people taken out of a dead gateway
_MAX_TENANTS = 10_000
_LARGE_SECONDS, _SMALL_SECONDS = 60.0, 5.0  # for how long it is remembered that a tenant is large, or is not
_UNKNOWN = (False, float("-inf"))


class TenantSizes:
    """Which tenants have more than `limit` members, so that people there ask for presence and are not told.

    Remembered for a minute; of the others only for seconds, because a tenant whose people first come is large soon.
    """

    def __init__(self, store: Presences, limit: int, monotonic: Callable[[], float]) -> None:
        self._store, self._limit, self._monotonic = store, limit, monotonic
        self._known: OrderedDict[str, tuple[bool, float]] = OrderedDict()

    async def large(self, tenants: Collection[str]) -> set[str]:
        """The large ones among these tenants. Raises Retryable."""
        now = self._monotonic()
        unknown = [tenant for tenant in tenants if self._known.get(tenant, _UNKNOWN)[1] <= now]
        if unknown:
            for tenant, members in (await self._store.sizes(unknown, self._limit + 1)).items():
                seconds = _LARGE_SECONDS if members > self._limit else _SMALL_SECONDS
                self._known[tenant] = (members > self._limit, now + seconds)
                self._known.move_to_end(tenant)
        large = {tenant for tenant in tenants if self._known.get(tenant, _UNKNOWN)[0]}
        while len(self._known) > _MAX_TENANTS:
            self._known.popitem(last=False)
        return large


class PresenceReports:
    """What this gateway says of its people. `name` is its name among gateways; `grace` that of the roster."""

    def __init__(
        self, store: Presences, roster: Roster, sizes: TenantSizes, publishing: Publishing, name: str, grace: float
    ) -> None:
        self._store, self._roster, self._sizes, self._publishing = store, roster, sizes, publishing
        self._name, self._grace = name, grace
        self._lives = itertools.count(1)
        self._gateway: str | None = None  # our name in this life, once it is registered
        self._turn = asyncio.Lock()

    async def beat(self) -> None:
        """One round: stays alive among the gateways, and takes out people of those that are not. Raises Retryable."""
        async with self._turn:
            if self._gateway is None or not await self._store.beat(self._gateway, new=False):
                gateway = f"{self._name}#{next(self._lives)}"
                await self._store.beat(gateway, new=True)
                self._gateway = gateway
                self._roster.anew()
        swept = await self._store.sweep(_AT_ONCE)
        metrics.PRESENCE_SWEPT.inc(len(swept))
        await self._tell(swept)

    async def flush(self) -> None:
        """One round: reports who has come and who has gone. Raises Retryable."""
        async with self._turn:
            due = [] if self._gateway is None else self._roster.due(asyncio.get_running_loop().time(), _AT_ONCE)
            if self._gateway is None or not due:
                return
            try:
                changes = await self._store.report(self._gateway, due)
            except GatewaySwept:
                self._gateway = None  # the next beat begins a new life, in which everybody is reported again
                self._roster.again(due)
                return
            except BaseException:
                self._roster.again(due)
                raise
        metrics.PRESENT_PEOPLE.set(len(self._roster))
        await self._tell(changes)

    async def choose(self, session: Session, command: UpdatePresence) -> Emission | Fault | None:
        """`presence:update`: everybody is told, the person as well. Raises Retryable."""
        if session.identity.user_id is None or session.identity.agent_id is not None:
            return Fault("NOT_A_PERSON", "agents have no presence")
        await self.flush()  # whoever has just come counts as here
        changes = await self._store.choose(
            session.person, command.status, command.custom_status, keep=command.keeps_custom_status
        )
        await self._tell(changes)
        return None

    async def farewell(self) -> None:
        """This process ends: its people have the time of grace to come back elsewhere. Raises Retryable."""
        async with self._turn:
            if self._gateway is not None:
                await self._store.beat(self._gateway, new=False, lease=self._grace)

    async def _tell(self, changes: Sequence[PresenceChange]) -> None:
        large = await self._sizes.large({change.tenant for change in changes}) if changes else ()
        await self._publishing.publish(*(change for change in changes if change.tenant not in large))
