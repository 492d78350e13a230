"""How what a client asks is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from services.gateway.domain.commands import Fault
from services.gateway.domain.dialects.dialect import Emission
from services.gateway.domain.session import Session

#: Does what a session's command asks; returns the answer, why not, or None when the answer comes by itself.
#: Raises Retryable.
Doing = Callable[[Session, Any], Awaitable[Emission | Fault | None]]
