"""What the faults of several devices make of the one delivery."""

from __future__ import annotations

from collections.abc import Sequence

from services.delivery.errors import Fault, Invalid, Overloaded, Retryable, Unavailable, Uncertain

#: A later attempt may reach these, the first kind deciding what the attempt was.
_AGAIN = (Overloaded, Uncertain, Retryable, Unavailable)


def summary(faults: Sequence[Fault], *, reached: bool) -> Fault | None:
    """The fault of the delivery, or None when it is sent. `reached`: a device has it, from this attempt or before."""
    for kind in _AGAIN:
        for fault in faults:
            if isinstance(fault, kind):
                return fault
    if reached:
        return None
    return faults[0] if faults else Invalid("no-address")
