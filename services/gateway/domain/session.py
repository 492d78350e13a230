"""One connected client: who it is, what it may read, and in which logs it is behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from libs.auth.tokens import Identity
from libs.schemas.rooms import is_personal
from services.gateway.domain.access import Memberships, Readable
from services.gateway.domain.acknowledging import Unacknowledged
from services.gateway.domain.dialects.dialect import Dialect, Emission
from services.gateway.domain.limits import Meter
from services.gateway.domain.logs import LogKey, LogRecord, state_of
from services.gateway.domain.muting import hides
from services.gateway.domain.notification import Notification

_NO_MEMBERSHIPS, _NOTHING = Memberships(), Readable({})


@dataclass(slots=True, eq=False)
class Session:
    """A socket whose token was accepted.

    `namespace` is where the transport finds the socket, `dialect` what is spoken there.
    `behind` maps the logs (by name) that the client is not shown live yet to the last entry it was sent.
    `suspended`: its memberships have changed and are being read, so no group room is shown until they are known.
    `warned`: it was told that its token will soon be over.
    `paused`: it has been told as much as its dialect allows, and the rest waits (S10).
    `newest` asks for what nobody has acknowledged, because the client came without a position.
    `types` are the catalogue keys that the socket is shown; None is everything (S21).
    `unacknowledged` is what a socket that acknowledges is waited for; None where an answered ping says it all (S8).
    `heard` counts what the client says.
    `unsaid` holds what it is to be told once its connection has been answered; None from then on.
    """

    sid: str
    namespace: str
    dialect: Dialect
    identity: Identity
    memberships: Memberships = _NO_MEMBERSHIPS
    readable: Readable = _NOTHING
    behind: dict[str, int] = field(default_factory=dict)
    newest: bool = False
    types: frozenset[str] | None = None
    unacknowledged: Unacknowledged | None = None
    heard: Meter = field(default_factory=Meter)
    unsaid: list[Emission] | None = field(default_factory=list)
    suspended: bool = False
    paused: bool = False
    warned: bool = False
    _over: bool = False

    @property
    def tenant(self) -> str:
        """Whose rooms it may be in."""
        return self.identity.tenant

    @property
    def reader(self) -> str:
        """Whose inbox it shows."""
        return self.identity.reader

    @property
    def person(self) -> tuple[str, str]:
        """(tenant, reader)."""
        return self.identity.person

    def key(self, name: str) -> LogKey:
        """The log of this name, within the tenant."""
        return LogKey(self.tenant, name)

    def due(self) -> list[str]:
        """The logs in which it can be brought on."""
        return [name for name in self.behind if not self.paused and (not self.suspended or self.is_own(name))]

    def caught_up(self, name: str) -> None:
        """It is not behind in this log any more."""
        del self.behind[name]
        if not self.behind:
            self.behind = {}  # a dictionary keeps the size that it had

    def is_own(self, name: str) -> bool:
        """Whether no membership decides about this log."""
        return is_personal(name) or name == self.state_log

    @property
    def wants_all(self) -> bool:
        """Whether nothing is kept from it: it has not narrowed itself, and its reader has muted nothing."""
        return self.types is None and not self.memberships.mutes

    def wants(self, record: LogRecord | None) -> bool:
        """Whether its reader is meant and had not muted the type as it came, and it did not narrow itself to others."""
        if not isinstance(record, Notification):
            return True
        if self.reader in record.excluded or (self.types is not None and record.type not in self.types):
            return False
        return not hides(self.memberships.mutes, record.type, record.created_at)

    def is_over(self) -> bool:
        """Whether the socket has gone. It may go whenever something is awaited."""
        return self._over

    def end(self) -> None:
        """The socket has gone."""
        self._over = True

    @property
    def state_log(self) -> str:
        """The name of the reader's state log."""
        return state_of(self.reader)
