"""What a client may ask to join, by which name, and whether a resource's policy lets it in (S15). The default is no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.auth import grants
from libs.auth.tokens import Identity
from libs.schemas import rooms
from services.gateway.domain.access import Readable

#: A name without a colon is a resource of this type.
PLAIN = "room"
#: The policy of types that have none of their own.
ANY_TYPE = "*"
_MAX_ID = 200


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the application."""

    type: str
    id: str

    @property
    def room(self) -> str:
        """Its room inside."""
        return rooms.resource(self.type, self.id)

    @property
    def name(self) -> str:
        """How it is named outside."""
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class Group:
    """A room of the platform's own: whoever belongs there is in it from the beginning."""

    room: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may join the resources of a type; any one of the ways lets somebody in (0034_live_rooms.sql)."""

    members: tuple[str, ...] = ()
    grant_key: str | None = None
    url: str | None = None
    secrets: tuple[str, ...] = ()
    cache_seconds: float = 60.0
    client_events: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """They may. `until` is when to look again, in seconds of the epoch."""

    until: float


@dataclass(frozen=True, slots=True)
class Denied:
    """They may not. `code` is one of docs/errors.md."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Only the application can tell."""

    policy: Policy


NO_SUCH_ROOM = Denied("INVALID_ROOM", "a room is named {type}:{id}, and its type must not be one of the platform's own")
NOT_ALLOWED = Denied("FORBIDDEN", "you may not join this room")
TOO_MANY_ROOMS = Denied("TOO_MANY_ROOMS", "this connection has joined as many rooms as it may")
NOT_JOINED = Denied("NOT_JOINED", "you are not in this room")
OWN_ROOM = Denied("OWN_ROOM", "nobody leaves their own room")


def named(name: str, tenant: str) -> Group | Resource | Denied:
    """What a client means by the name of a room."""
    if name in (rooms.TENANT, rooms.BROADCAST):
        return Group(name)
    kind, colon, rest = name.partition(":")
    if not colon:
        kind, rest = PLAIN, name
    if kind == rooms.TENANT:
        return Group(rooms.TENANT) if rest == tenant else NOT_ALLOWED
    if (rooms.is_log(name) or kind == "session") and rest:
        return Group(name)
    return resource(kind, rest)


def resource(kind: str, name: str) -> Resource | Denied:
    """The resource of this type and id."""
    if not rooms.is_resource_type(kind) or not 0 < len(name) <= _MAX_ID or not name.isprintable() or " " in name:
        return NO_SUCH_ROOM
    return Resource(kind, name)


def belongs(group: Group, identity: Identity, readable: Readable) -> bool:
    """Whether the reader is in one of the platform's rooms, by who they are, the directory, or their token."""
    if identity.session_id is not None and group.room == rooms.session(identity.session_id):
        return True
    span = readable.last(group.room)
    return span is not None and span.until is None


def by_membership(policy: Policy, wanted: Resource, readable: Readable) -> bool:
    """Whether the reader is in one of the rooms whose members may join."""
    spans = (readable.last(room.replace("{id}", wanted.id)) for room in policy.members)
    return any(span is not None and span.until is None for span in spans)


def decide(
    policy: Policy | None, wanted: Resource, identity: Identity, readable: Readable, grant: str | None, now: datetime
) -> Allowed | Denied | Ask:
    """Whether they may join, as far as it can be told without asking the application."""
    if policy is None:
        return NOT_ALLOWED
    again = now.timestamp() + policy.cache_seconds  # the policy itself may have changed by then
    if by_membership(policy, wanted, readable):
        return Allowed(again)
    if grant is not None and policy.grant_key is not None:
        found = grants.read(grant, policy.grant_key, now)
        if found is not None and _covers(found, wanted, identity):
            return Allowed(min(again, found.expires_at))
    return NOT_ALLOWED if policy.url is None else Ask(policy)


def _covers(grant: grants.Grant, wanted: Resource, identity: Identity) -> bool:
    return (grant.tenant, grant.user_id) == (identity.tenant, identity.reader) and wanted.name in grant.rooms
