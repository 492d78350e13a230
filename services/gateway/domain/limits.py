"""How much a socket may say, and how many sockets there may be: constant work per event, bounded memory (S10).

Times are seconds of a monotonic clock. Everything is counted by one gateway process: with several, each allows as much.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_FLOOD = 10  # times the limit: who goes on like that after being told is no eager client but a broken one
_REMEMBERED = 10_000  # offenders


class Rate(NamedTuple):
    """At most `limit` in `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """`connections` by kind of scope; `heard`: what clients may say, by namespace, and `otherwise` in all others.

    `shortest` and `longest` are those of bans, in seconds.
    """

    connections: Mapping[str, int]
    heard: Mapping[str, Rate]
    otherwise: Rate
    shortest: float
    longest: float


@dataclass(frozen=True, slots=True)
class Exceeded:
    """One too many. `first` of the window: only that is told. `flood`: it goes on and on; said once."""

    retry_after: float
    first: bool
    flood: bool


@dataclass(slots=True)
class Meter:
    """Counts in windows; a window begins with the first event after the last one is over."""

    _began: float = float("-inf")
    _count: int = 0

    def take(self, rate: Rate, now: float) -> Exceeded | None:
        """Counts one; None when it is within the rate."""
        if now - self._began >= rate.seconds:
            self._began, self._count = now, 0
        self._count += 1
        if self._count <= rate.limit:
            return None
        over = self._count - rate.limit
        return Exceeded(self._began + rate.seconds - now, first=over == 1, flood=over == rate.limit * (_FLOOD - 1))


class _Ban(NamedTuple):
    until: float
    seconds: float


class Bans:
    """Who must stay away for a time: `shortest`, and twice as long each time, up to `longest`.

    Who has kept away from trouble for `longest` after a ban begins anew.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest, self._longest = shortest, longest
        self._bans: OrderedDict[Hashable, _Ban] = OrderedDict()

    def offend(self, who: Hashable, now: float) -> float:
        """Bans them; for how long. Who is banned already is not banned for longer."""
        before = self._bans.get(who)
        if before is not None and before.until > now:
            return before.until - now
        again = before is not None and now - before.until < self._longest
        seconds = min(before.seconds * 2, self._longest) if before is not None and again else self._shortest
        self._bans[who] = _Ban(now + seconds, seconds)
        self._bans.move_to_end(who)
        if len(self._bans) > _REMEMBERED:
            self._bans.popitem(last=False)
        return seconds

    def left(self, who: Hashable, now: float) -> float:
        """For how long they are banned still; 0 when they are not."""
        ban = self._bans.get(who)
        return 0.0 if ban is None else max(0.0, ban.until - now)


class Scope(NamedTuple):
    """Whose connections are counted: `kind` is user, tenant or address."""

    kind: str
    name: Hashable


@dataclass(slots=True)
class Connections:
    """Counts connections by scope. One connection may carry several sockets (namespaces), and counts once.

    `most` is how many there may be by kind of scope; 0 is any number.
    """

    most: dict[str, int]
    _scopes: dict[str, tuple[Scope, ...]] = field(default_factory=dict)  # by connection, those of each of its sockets
    _connections: Counter[Scope] = field(default_factory=Counter)

    def full(self, connection: str, scopes: Iterable[Scope]) -> Scope | None:
        """The first of these scopes that has no room for the connection."""
        for scope in scopes:
            most = self.most[scope.kind]
            if most and self._connections[scope] >= most and scope not in self._scopes.get(connection, ()):
                return scope
        return None

    def enter(self, connection: str, scopes: tuple[Scope, ...]) -> None:
        """A socket has come in by this connection."""
        before = self._scopes.get(connection, ())
        self._connections.update(scope for scope in scopes if scope not in before)
        self._scopes[connection] = before + scopes

    def leave(self, connection: str, scopes: tuple[Scope, ...]) -> None:
        """A socket that entered has gone."""
        left = list(self._scopes.pop(connection, ()))
        for scope in scopes:
            left.remove(scope)
            if scope not in left:
                self._less(scope)
        if left:
            self._scopes[connection] = tuple(left)

    def _less(self, scope: Scope) -> None:
        self._connections[scope] -= 1
        if not self._connections[scope]:
            del self._connections[scope]
