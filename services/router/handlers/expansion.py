"""Decides the members of groups one by one: a page a transaction, the tenants in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from functools import partial

from libs.rules.preferences import Offer
from libs.runtime.logging import get_logger
from services.router import metrics
from services.router.domain.expanding import expand
from services.router.domain.handover import Handover
from services.router.domain.planning import PlannedDelivery
from services.router.errors import GivenBack
from services.router.handlers.holding import Holding
from services.router.ports import Catalogues, Expansions, Members, Outbox

_log = get_logger(__name__)


class ExpansionHandler:
    """Takes open expansions until there are none, then waits to be told of new ones or for `interval` seconds."""

    def __init__(
        self,
        expansions: Expansions,
        outbox: Outbox,
        catalogues: Catalogues,
        holding: Holding,
        *,
        deliverable: Collection[str],
        page_size: int,
        interval: float,
        offline_grace: timedelta,
    ) -> None:
        self._expansions, self._outbox, self._catalogues, self._holding = expansions, outbox, catalogues, holding
        self._deliverable, self._page_size, self._interval = frozenset(deliverable), page_size, interval
        self._offline_grace = offline_grace
        self._told = asyncio.Event()
        self._tenant = ""

    def tell(self) -> None:
        """There may be a new expansion."""
        self._told.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when the process stops. A page whose transaction did not commit is taken again, by anybody."""
        try:
            while not stop.is_set():
                self._told.clear()
                if not await self._page():
                    await self._rest(stop)
        except GivenBack:
            return

    async def _page(self) -> bool:
        handover = await self._holding.until_done("expand", self._decide)
        if handover is None:
            self._holding.progress.made()
            return False
        # What is not handed on here is found by delivery once its grace is over.
        await self._holding.until_done("expand-hand-on", partial(self._outbox.hand_on, handover, {}))
        self._holding.progress.made()
        return True

    async def _decide(self) -> Handover | None:
        async with self._expansions.next_page(self._tenant, self._page_size) as page:
            if page is None:
                return None
            members = page.members
            self._tenant = members.tenant
            due = await page.record(await self._expanded(members))
        metrics.EXPANDED.inc(len(members.people))
        _log.info(
            "group_expanded",
            tenant_id=members.tenant,
            notification_id=members.notification,
            notification_type=members.type,
            channels=members.channels,
            status={"members": len(members.people), "planned": len(due)},
        )
        return Handover(deliveries=due)

    async def _expanded(self, members: Members) -> list[PlannedDelivery]:
        """By the catalogue that the notification was planned by, like the members and what they wanted then."""
        catalogue = await self._catalogues.then(members.tenant, members.catalogue_version)
        kind = catalogue.get(members.type) or catalogue.find(members.event, members.name)
        offers = [
            Offer(
                kind,
                channel,
                members.as_of,
                named=members.named,
                deliverable=channel in self._deliverable,
                severity=members.severity,
                expires_at=members.expires_at,
                digest_key=members.digest_key,
                offline_grace=self._offline_grace,
            )
            for channel in members.channels
        ]
        return expand(members.notification, offers, members.people)

    async def _rest(self, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._told, stop)]
        try:
            await asyncio.wait(waits, timeout=self._interval, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
