"""The gateway feed: a leased slot, its partition, and what to do when either may have missed something.

Everything that may have lost a record is one event, a feed break: register all interest again, compare heads, go on.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import NamedTuple

from libs.runtime.health import Progress
from libs.runtime.logging import get_logger
from libs.schemas.records import Ephemeral, MembershipChange, PresenceChange, StateChange, Withdrawal
from services.gateway import metrics
from services.gateway.domain.notification import Notification
from services.gateway.errors import FeedBreak, LeaseLost, Retryable
from services.gateway.handlers.company import Company
from services.gateway.handlers.following import Following
from services.gateway.handlers.interest import Interest
from services.gateway.handlers.memberships import MembershipWatch
from services.gateway.ports import Inbox, Slot, Slots, Sockets

log = get_logger(__name__)

_PAUSE = 1.0  # seconds after a fault of our own


class Hearers(NamedTuple):
    """Who is told of records, each of their own."""

    following: Following
    watch: MembershipWatch
    company: Company


class Feed:
    """`run` follows our partition for ever; `renew` is to be called regularly beside it."""

    def __init__(
        self,
        slots: Slots,
        inbox: Inbox,
        interest: Interest,
        hearers: Hearers,
        sockets: Sockets,
        progress: Progress,
    ) -> None:
        self._slots, self._inbox, self._interest = slots, inbox, interest
        self._following, self._watch, self._company = hearers
        self._sockets, self._progress = sockets, progress
        self._slot: Slot | None = None
        self._lost: int | None = None  # the slot that was taken from us
        self._reading: Slot | None = None  # the slot whose partition the consumer reads
        self._server_started: datetime | None = None
        self._broken: FeedBreak | None = None

    @property
    def fault(self) -> str | None:
        """Why the feed is not attached, or None."""
        return None if self._interest.slot is not None else "no slot of the feed is attached yet"

    @property
    def lags(self) -> bool:
        """Whether records of our partition wait to be read."""
        return self._inbox.lag() > 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._attach()
                await self._read()
            except FeedBreak as error:
                self._break(error)
            except Retryable as error:
                self._progress.holding(str(error))
                log.warning("feed_held", errors=[str(error)])
                await asyncio.sleep(error.after)
            except Exception as error:
                # Whatever record it was: the heads tell what it would have shown.
                log.error("feed_failed", exc_info=error)
                self._reading = None
                await asyncio.sleep(_PAUSE)

    async def renew(self) -> None:
        """Renews the lease, and sees whether the database was restarted or lost our interest. Raises Retryable."""
        slot = self._slot
        if slot is None:
            return
        try:
            renewal = await self._slots.renew(slot)
        except LeaseLost as error:
            self._broken = error
            return
        if self._interest.slot == slot and not renewal.registered:
            self._broken = FeedBreak("the interest is gone")
        elif self._server_started not in (None, renewal.server_started):
            self._broken = FeedBreak("the database was restarted")
        self._server_started = renewal.server_started

    async def release(self) -> None:
        """Gives the slot back."""
        slot, self._slot = self._slot, None
        self._interest.detach()
        if slot is not None:
            await self._slots.release(slot)

    async def _attach(self) -> None:
        self._broken = None
        if self._slot is None:
            self._slot = await self._slots.lease(self._lost)
            if self._slot is None:
                raise Retryable("no slot of the feed is free")
        if self._reading != self._slot:
            position = await self._inbox.attach(self._slot.number)
            self._reading = self._slot
            log.info("feed_attached", slot=self._slot.number, epoch=self._slot.epoch, position=position)
        await self._interest.attach(self._slot)
        await self._following.compare()
        await self._watch.compare()

    async def _read(self) -> None:
        while True:
            if self._broken is not None:
                raise self._broken
            if self._interest.slot is None:
                raise LeaseLost("another gateway registers interest in our slot")
            for record in await self._inbox.read():
                match record:
                    case Notification() | Withdrawal() | StateChange():
                        self._following.accept(record)
                        await self._sockets.breathe()
                    case MembershipChange():
                        self._watch.accept(record)
                    case PresenceChange():
                        self._company.notice(record)
                    case Ephemeral():
                        self._company.hear(record)
                        await self._sockets.breathe()
            metrics.FEED_LAG.set(self._inbox.lag())
            self._progress.made()

    def _break(self, error: FeedBreak) -> None:
        metrics.FEED_BREAKS.labels(str(error)).inc()
        log.warning("feed_break", errors=[str(error)])
        if isinstance(error, LeaseLost):
            self._lost = None if self._slot is None else self._slot.number
            self._slot = None
            self._interest.detach()
        elif self._broken is None:  # it came from the partition itself
            self._reading = None
