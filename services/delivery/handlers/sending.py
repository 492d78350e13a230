"""Sending what was claimed: as many calls at once as the provider's pace allows, each marked before it starts, and what
has ended recorded as others take its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from functools import partial

from libs.runtime.health import Progress
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.rates import Rates, spread
from services.delivery.handlers.calling import Calling
from services.delivery.handlers.patience import Stopped, patiently, wait
from services.delivery.handlers.telling import Telling
from services.delivery.ports import Ledger, Result

_IDLE = 1.0  # seconds: how often a loop without work says that it is alive
_GATHER = 0.02  # seconds: what ends within this time shares a statement; a lease is longer by far
_AHEAD = 8  # claimed deliveries per running call: enough for a few round trips to the database, and soon sent


class Sending:
    """Holds claimed deliveries until a call is free. What was not begun at the end is given back."""

    def __init__(
        self,
        ledger: Ledger,
        calling: Calling,
        telling: Telling,
        progress: Progress,
        *,
        per_second: float = 0.0,
        per_tenant: float = 0.0,
    ) -> None:
        self._limits, self._rates = (per_second, per_tenant), Rates(per_second, per_tenant)
        self._ledger, self._calling, self._telling, self._progress = ledger, calling, telling, progress
        self._claimed: deque[Delivery] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._ended: list[Result] = []  # not recorded yet: the ledger still has them as being sent
        self._changed = asyncio.Event()  # something was claimed, or a call has ended
        self._worth = asyncio.Event()  # and so much of it that a statement is worth while
        self._never = asyncio.Event()  # a result is worth the wait until the process must go
        self._taken = asyncio.Event()  # something claimed was begun or given back: there may be room

    @property
    def running(self) -> int:
        """How many calls run now."""
        return len(self._calls)

    @property
    def resting(self) -> float:
        """Seconds for which the provider is left alone; nothing need be claimed until then."""
        return self._calling.resting

    @property
    def room(self) -> int:
        """How many more deliveries are worth claiming now."""
        if self.resting:
            return 0
        wanted = self._calling.limit * _AHEAD
        free = wanted - len(self._claimed)
        return free if free * 2 >= wanted else 0  # fewer, larger claims

    async def until_room(self, progress: Progress, stop: asyncio.Event) -> int:
        """Waits for room and returns it. Raises Stopped."""
        while True:
            if stop.is_set():
                raise Stopped
            self._taken.clear()
            if room := self.room:
                return room
            self._report(progress)
            await wait(self._taken, _IDLE)

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Claimed deliveries, to be sent in this order."""
        self._claimed.extend(deliveries)
        self._wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until `stop`; then ends the calls that run, records them, and gives back the rest."""
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._changed.set())
        try:
            while not stop.is_set():
                self._report(self._progress)
                await wait(self._changed, min(self.resting, _IDLE) or _IDLE)
                self._changed.clear()
                await self._gather()
                await self._exchange(stop)
        except Stopped:
            pass  # the database is away: the claims that were held end with their leases
        finally:
            stopping.cancel()
        await asyncio.gather(*self._calls)
        await self._turn_over([], self._never)
        with contextlib.suppress(Stopped):
            await patiently(lambda: self._give_back("given-back", 0.0), self._progress, stop, "postgres")

    @property
    def _free(self) -> int:
        """How many may begin as what has ended is recorded: with those that still run, never more than the limit."""
        return self._calling.limit - len(self._calls)

    @property
    def _enough(self) -> bool:
        """Whether a statement is worth while: it may begin half of the calls, or nothing more can end."""
        if self._claimed:
            return self._free >= min(len(self._claimed), (self._calling.limit + 1) // 2)
        return not self._calls

    async def _gather(self) -> None:
        """Lets several calls end before the next are begun, so that one statement is for them all; slow calls hold up
        nobody for longer than a moment."""
        self._worth.clear()
        if not self._enough:
            await wait(self._worth, _GATHER)

    async def _exchange(self, stop: asyncio.Event) -> None:
        """Records what has ended, and begins as many as there are free calls."""
        while not stop.is_set():
            part = [self._claimed.popleft() for _ in range(min(self._free, len(self._claimed)))]
            if part and self.resting:
                self._claimed.extendleft(reversed(part))
                resting = partial(self._give_back, "provider-unavailable", self.resting)
                await patiently(resting, self._progress, stop, "postgres")
                part = []
            part = await self._within_rates(part, stop)
            self._taken.set()
            if not (part or self._ended):
                return
            await self._turn_over(part, stop)
            if not self._enough:
                return

    async def _turn_over(self, part: list[Delivery], stop: asyncio.Event) -> None:
        """One statement: a crash leaves no more than the limit in doubt, whenever it comes."""
        ended, assigned = list(self._ended), self._calling.assign(part)
        if not (ended or assigned):
            return
        exchange = partial(self._ledger.exchange, ended, assigned)
        recorded, begun = await patiently(exchange, self._progress, stop, "postgres")
        del self._ended[: len(ended)]
        for delivery in begun:
            self._start(delivery)
        self._telling.all(ended, recorded)

    async def _within_rates(self, part: list[Delivery], stop: asyncio.Event) -> list[Delivery]:
        """Those that may be sent now; the others are given back, due one behind the other."""
        if self._limits == (0.0, 0.0):
            return part
        now = time.monotonic()
        waits = [(delivery, self._rates.take(delivery.tenant, now)) for delivery in part]
        early = [(delivery, wait) for delivery, wait in waits if wait]
        if early:
            delays = spread([(delivery.tenant, wait) for delivery, wait in early], *self._limits)
            returned = [delivery for delivery, _ in early]
            give_back = partial(self._ledger.give_back, returned, "rate-limited", delays)
            await patiently(give_back, self._progress, stop, "postgres")
        return [delivery for delivery, wait in waits if not wait]

    def _start(self, delivery: Delivery) -> None:
        call = asyncio.create_task(self._call(delivery))
        self._calls.add(call)
        call.add_done_callback(self._over)

    async def _call(self, delivery: Delivery) -> None:
        self._ended.append(await self._calling.call(delivery))

    def _over(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        if self._enough:
            self._worth.set()

    async def _give_back(self, reason: str, delay: float) -> None:
        returned, self._claimed = list(self._claimed), deque()
        if not returned:
            return
        try:
            await self._ledger.give_back(returned, reason, [delay] * len(returned))
        except BaseException:
            self._claimed.extendleft(reversed(returned))
            raise
        self._taken.set()

    def _report(self, progress: Progress) -> None:
        if self.resting:
            progress.holding("the provider rests")
        else:
            progress.made()
