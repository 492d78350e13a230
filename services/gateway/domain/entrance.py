"""What becomes of a socket at the door (S9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.gateway.domain.commands import Fault
from services.gateway.domain.dialects.dialect import Dialect
from services.gateway.domain.session import Session


class Arrival(NamedTuple):
    """A socket: where the transport finds it, and what is spoken there.

    `connection` carries it, perhaps with others; `address` is where that comes from. `acknowledges` is what the client
    says of itself (S8).
    """

    namespace: str
    dialect: Dialect
    sid: str
    connection: str
    address: str
    acknowledges: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """It is a session; `refetch` are the logs, by reason, that the client must fetch anew."""

    session: Session
    refetch: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Refused:
    """Its token is missing or not valid; `expired` says whether it once was."""

    expired: bool


@dataclass(frozen=True, slots=True)
class Unserved:
    """It may be right, but cannot be served now."""


@dataclass(frozen=True, slots=True)
class Limited:
    """Its token may be right, but there are too many of its kind, or it was banned."""

    fault: Fault


Entrance = Admitted | Refused | Unserved | Limited
