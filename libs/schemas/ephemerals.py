"""Ephemeral events (F3-6): what services and those inside a resource may send to whoever listens now; bounds and names.

An ephemeral event goes to clients under its own name, in every namespace. So that nobody can pass one off as something
that the platform says, the platform's own names are reserved.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from libs.schemas import rooms
from libs.schemas.base import WireModel
from libs.schemas.events import EVENT_NAMES, Id

MAX_PAYLOAD_BYTES = 16 * 1024
MAX_ROOMS = 100
MAX_BATCH = 100

TYPING_STARTED = "typing:user-started"
TYPING_STOPPED = "typing:user-stopped"

_NAME = r"^[A-Za-z][A-Za-z0-9_.:-]{0,99}$"
EphemeralName = Annotated[str, StringConstraints(pattern=_NAME)]
ResourceType = Annotated[str, StringConstraints(pattern=rooms.RESOURCE_TYPE)]

#: Socket.IO's own, and what the namespaces say to clients or are told by them. Beginnings stand for all that follows.
_RESERVED = frozenset(EVENT_NAMES) | {
    "connect", "connect_error", "connecting", "disconnect", "disconnecting", "newListener", "removeListener",
    "reconnect", "reconnect_attempt", "reconnect_error", "reconnect_failed", "message", "open", "close",
    "error", "connected", "authenticate", "authenticated", "auth_error", "resync", "ping", "pong", "heartbeat", "ack",
    "acknowledged", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "joinRoom", "joinedRoom", "leaveRoom",
    "leftRoom", "getPresence", "presenceStats", "ephemeral", "markNotificationRead",
}  # fmt: skip
_RESERVED_BEGINNINGS = (
    "notification", "presence", "typing", "user:online", "user:offline", "user.online", "user.offline", "server.",
)  # fmt: skip


def is_name(event: str) -> bool:
    """Whether it can be the name of an ephemeral event at all."""
    return re.fullmatch(_NAME, event) is not None


def is_reserved(event: str) -> bool:
    """Whether the platform itself says, or is told, something under this name."""
    return event in _RESERVED or event.startswith(_RESERVED_BEGINNINGS)


class Resource(WireModel):
    """A resource of the application, such as a document that is edited by several."""

    type: ResourceType
    id: Id


class Audience(WireModel):
    """Who is meant: everybody who listens to one of these now."""

    user_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_ROOMS)] = ()
    agent_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_ROOMS)] = ()
    org_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_ROOMS)] = ()
    departments: Annotated[tuple[Id, ...], Field(max_length=MAX_ROOMS)] = ()
    roles: Annotated[tuple[Id, ...], Field(max_length=MAX_ROOMS)] = ()
    topics: Annotated[tuple[Id, ...], Field(max_length=MAX_ROOMS)] = ()
    session_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_ROOMS)] = ()
    resources: Annotated[tuple[Resource, ...], Field(max_length=MAX_ROOMS)] = ()
    tenant: bool = False

    def rooms(self) -> tuple[str, ...]:
        """The rooms of the audience, each once."""
        named = [
            *map(rooms.user, self.user_ids),
            *map(rooms.agent, self.agent_ids),
            *map(rooms.org, self.org_ids),
            *map(rooms.dept, self.departments),
            *map(rooms.role, self.roles),
            *map(rooms.topic, self.topics),
            *map(rooms.session, self.session_ids),
            *(rooms.resource(resource.type, resource.id) for resource in self.resources),
            *([rooms.TENANT] if self.tenant else []),
        ]
        return tuple(dict.fromkeys(named))


class EphemeralEvent(WireModel):
    """What a service asks to be shown to `recipients` now, and to nobody later. `tenant_id` is the key's by default."""

    event: EphemeralName
    payload: dict[str, Any] = Field(default_factory=dict)
    recipients: Audience
    tenant_id: Id | None = None
