"""What becomes of a delivery after a call: a value with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from services.delivery.domain.retry import RetryPolicy
from services.delivery.errors import Fault, Invalid, Permanent, Unavailable, Uncertain

EXHAUSTED = "attempts-exhausted"


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has taken it. `code` is its answer."""

    code: str | None = None
    provider_message_id: str | None = None
    reason: str = "sent"


@dataclass(frozen=True, slots=True)
class Retry:
    """An attempt failed; the next is due in `delay` seconds."""

    reason: str
    delay: float
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider may have it. `delay` in seconds leads to the next attempt; None leaves it unknown."""

    reason: str
    delay: float | None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """No further attempt. `counted` says whether the provider was asked."""

    reason: str
    code: str | None = None
    detail: str | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Returned:
    """No attempt was made: it is planned again, due in `delay` seconds."""

    reason: str
    delay: float


Outcome = Sent | Retry | Unknown | Failed | Returned


def of_fault(fault: Fault, attempts: int, policy: RetryPolicy, draw: float, *, repeatable: bool) -> Outcome:
    """What a fault makes of a delivery that had `attempts` before this one.

    `repeatable`: whether the channel's receivers can tell a repeat (by a stable id), so that an uncertain attempt
    may be made again. `draw` is random in [0, 1).
    """
    code, detail = fault.code, fault.detail
    if isinstance(fault, Unavailable):
        return Returned(fault.reason, policy.delay(1, draw, fault.after))
    if isinstance(fault, Permanent | Invalid):
        return Failed(fault.reason, code, detail, counted=isinstance(fault, Permanent))
    if isinstance(fault, Uncertain) and not repeatable:
        return Unknown(fault.reason, None, code, detail)
    if policy.exhausted(attempts + 1):
        return Failed(EXHAUSTED, code, detail)
    delay = policy.delay(attempts + 1, draw, fault.after)
    if isinstance(fault, Uncertain):
        return Unknown(fault.reason, delay, code, detail)
    return Retry(fault.reason, delay, code, detail)
