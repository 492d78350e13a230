"""Which provider is asked: in the tenant's order, past those that rest. Nobody else is asked who may have it already.

A pace (domain.pace) is the circuit breaker of its provider: resting it is open, after the rest a single call tries
(half open), and calls that go well close it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.delivery.domain.delivery import Delivery
from services.delivery.domain.pace import Pace
from services.delivery.errors import Fault, Overloaded, Retryable, Unavailable


def order(delivery: Delivery, providers: Sequence[str]) -> tuple[str, ...]:
    """The providers for a delivery, of those there are.

    Where an attempt is uncertain, the provider that may have it knows best what a repeat is: no other sends it twice.
    """
    if delivery.uncertain_with is not None and delivery.uncertain_with in providers:
        return (delivery.uncertain_with,)
    chosen = tuple(name for name in delivery.providers if name in providers)
    return chosen or tuple(providers)


def willing(names: Sequence[str], paces: Mapping[str, Pace], running: Mapping[str, int], now: float) -> list[str]:
    """Those that may be asked now, the ones with a free call first; `running` are calls by provider."""
    awake = [name for name in names if not paces[name].resting(now)]
    return sorted(awake, key=lambda name: running[name] >= paces[name].limit)  # stable: else the order stays


def assign(
    deliveries: Sequence[Delivery], paces: Mapping[str, Pace], running: Mapping[str, int], now: float
) -> list[Delivery]:
    """Each with the providers that may be asked for it, in order; a call of one counts for those behind it."""
    counted, assigned = Counter(running), []
    for delivery in deliveries:
        names = willing(order(delivery, tuple(paces)), paces, counted, now)
        counted.update(names[:1])
        assigned.append(replace(delivery, providers=tuple(names)))
    return assigned


def passes_on(fault: Fault) -> bool:
    """Whether the next provider may be asked: this one has surely not taken it, and the address is not at fault."""
    return isinstance(fault, Retryable | Unavailable)


def weightiest(faults: Sequence[Fault]) -> Fault:
    """What the attempt was when nobody took it: one that answered tells more than one that could not be asked."""
    for kind in (Overloaded, Retryable):
        for fault in faults:
            if isinstance(fault, kind):
                return fault
    return faults[0]


def limit(paces: Mapping[str, Pace], now: float) -> int:
    """How many calls may run at once on all of them together; no more than one alone would take."""
    awake = [pace for pace in paces.values() if not pace.resting(now)]
    ceiling = max(pace.ceiling for pace in paces.values())
    return max(1, min(ceiling, sum(pace.limit for pace in awake)))


def resting(paces: Mapping[str, Pace], now: float) -> float:
    """Seconds until one of them may be asked."""
    return min(pace.resting(now) for pace in paces.values())
