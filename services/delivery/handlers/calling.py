"""One delivery to the providers of its channel: from a claim to its result."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache

from libs.postgres import faults as postgres_faults
from libs.runtime.logging import get_logger
from services.delivery import metrics
from services.delivery.domain import failover
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.outcome import EXHAUSTED, Failed, Outcome, Sent, of_fault
from services.delivery.domain.pace import Pace
from services.delivery.domain.retry import RetryPolicy
from services.delivery.errors import Fault, Overloaded, Retryable, Unavailable, Uncertain
from services.delivery.ports import Attempt, Ledger, Provider, Result

_log = get_logger(__name__)
_seconds = cache(metrics.CALLS.labels)  # asked for with every call


class Calling:
    """Asks the providers in order and keeps the pace that the answers of each ask for.

    `repeatable` as in domain.outcome. `shared`: every delivery goes to the same servers, so that silence of one is a
    fault of the provider, and not of an endpoint.
    """

    def __init__(
        self,
        ledger: Ledger,
        providers: Sequence[Provider],
        policy: RetryPolicy,
        pace: Pace,
        clock: Callable[[], datetime],
        *,
        repeatable: bool,
        shared: bool,
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self.paces = dict.fromkeys(self._providers, pace)
        self.running = Counter[str](dict.fromkeys(self._providers, 0))
        self._ledger, self._policy, self._clock = ledger, policy, clock
        self._repeatable, self._shared = repeatable, shared

    @property
    def limit(self) -> int:
        """How many calls may run at once now."""
        return failover.limit(self.paces, time.monotonic())

    @property
    def resting(self) -> float:
        """Seconds for which no provider may be asked."""
        return failover.resting(self.paces, time.monotonic())

    def assign(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Each with the providers that may be asked for it now, the first to be written down before `call`."""
        return failover.assign(deliveries, self.paces, self.running, time.monotonic())

    async def call(self, delivery: Delivery) -> Result:
        """Sends what was assigned. Whatever happens is a result."""
        if self._policy.exhausted(delivery.attempts):  # the last attempt's process died before it could say so
            return Result(delivery, Failed(EXHAUSTED, counted=False))
        attempts: list[Attempt] = []
        faults: list[Fault] = []
        for name in delivery.providers:
            if self.paces[name].resting(time.monotonic()):
                continue
            if name != delivery.providers[0] and not await self._turn(delivery, name):
                break
            answer = await self._ask(name, delivery, attempts)
            if isinstance(answer, Sent):
                return Result(delivery, answer, tuple(attempts))
            faults.append(answer)
            if not failover.passes_on(answer):
                return Result(delivery, self._outcome(answer, delivery), tuple(attempts))
        fault = failover.weightiest(faults) if faults else Unavailable("provider-unavailable", after=self.resting)
        return Result(delivery, self._outcome(fault, delivery), tuple(attempts))

    async def _turn(self, delivery: Delivery, name: str) -> bool:
        """Nobody is asked whom the ledger does not know of: a later attempt may do that."""
        try:
            return await self._ledger.turn(delivery, name)
        except Exception as error:
            if not postgres_faults.is_passing(error):
                raise
            return False

    async def _ask(self, name: str, delivery: Delivery, attempts: list[Attempt]) -> Sent | Fault:
        started_at, started = self._clock(), time.monotonic()
        self.running[name] += 1
        try:
            answer = await self._answer(self._providers[name], delivery)
        finally:
            self.running[name] -= 1
        seconds = time.monotonic() - started
        _seconds(delivery.channel, name).observe(seconds)
        self._keep_pace(name, answer)
        attempts.append(Attempt(name, _word(answer), answer.reason, answer.code, _detail(answer), started_at, seconds))
        return answer

    async def _answer(self, provider: Provider, delivery: Delivery) -> Sent | Fault:
        try:
            return await provider.send(delivery)
        except Fault as fault:
            return fault
        except Exception:  # noqa: BLE001 - a fault of ours is an attempt, whose last leads to the dead letters
            _log.exception("call_failed", **delivery.log_fields)
            return Uncertain("internal-error")

    def _outcome(self, fault: Fault, delivery: Delivery) -> Outcome:
        return of_fault(fault, delivery.attempts, self._policy, _draw(), repeatable=self._repeatable)

    def _keep_pace(self, name: str, answer: Sent | Fault) -> None:
        pace, now = self.paces[name], time.monotonic()
        if isinstance(answer, Overloaded):
            pace = pace.overloaded(now, answer.after, _draw())
        elif isinstance(answer, Unavailable):
            pace = pace.unavailable(now, answer.after, _draw())
            _log.warning("provider_unavailable", provider=name, errors=[answer.reason], code=answer.code)
        elif self._shared and _is_silence(answer):
            pace = pace.silent(now, _draw())
        else:
            pace = pace.went_well()  # it answered: that somebody's mailbox is closed is not its trouble
        if pace.strikes > self.paces[name].strikes:
            metrics.BREAKS.labels(name).inc()
        self.paces[name] = pace


def _is_silence(answer: Sent | Fault) -> bool:
    return isinstance(answer, Uncertain | Retryable) and answer.reason in ("provider-silent", "outcome-unknown")


def _word(answer: Sent | Fault) -> str:
    match answer:
        case Sent():
            return "sent"
        case Unavailable():
            return "unavailable"
        case Uncertain():
            return "unknown"
        case Retryable():
            return "retry"
        case _:
            return "failed"


def _detail(answer: Sent | Fault) -> str | None:
    return answer.detail if isinstance(answer, Fault) else None


def _draw() -> float:
    return random.random()  # noqa: S311 - jitter, not a secret
