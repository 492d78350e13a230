"""What clients may ask for, as values, and how their arguments are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.schemas.records import PresenceStatus

_MAX_TEXT = 200
_MAX_TYPES = 100
_MAX_PEOPLE = 100
_MAX_ROOM = 300
_MAX_TOKEN = 16 * 1024
_STATUSES: tuple[PresenceStatus, ...] = ("ONLINE", "AWAY", "BUSY", "OFFLINE")


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Go on with this token (S22)."""

    token: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Say that you are there."""


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """Let me hear this room as well (S15); `grant` is what the application has given me to show."""

    room: str
    grant: str | None = None


@dataclass(frozen=True, slots=True)
class LeaveRoom:
    """I no longer listen to this room."""

    room: str


@dataclass(frozen=True, slots=True)
class GetPresence:
    """Who is here (S19), of these people or of all."""

    users: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UpdatePresence:
    """This is how I am now (F3-1)."""

    status: PresenceStatus
    custom_status: str | None
    keeps_custom_status: bool = False


@dataclass(frozen=True, slots=True)
class Typing:
    """I began or stopped typing at a resource (F3-2)."""

    resource_type: str
    resource_id: str
    started: bool


@dataclass(frozen=True, slots=True)
class SendEphemeral:
    """Tell the others in this room (F3-6)."""

    room: str
    event: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subscribe:
    """From now on show this socket these types, and nothing that it has not named (S21)."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """These types no longer; without any, everything is shown again."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkRead:
    """I have read this notification."""

    notification: UUID


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """I have received this notification (S8); `place` is (room, seq) where the client can say so."""

    notification: UUID
    place: tuple[str, int] | None = None


Command = (
    Authenticate
    | Ping
    | JoinRoom
    | LeaveRoom
    | GetPresence
    | UpdatePresence
    | Typing
    | SendEphemeral
    | Subscribe
    | Unsubscribe
    | MarkRead
    | Acknowledge
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something is not done. `code` is one of docs/errors.md, `field` the argument at fault.

    `retry_after` is in how many seconds it may be done.
    """

    code: str
    message: str
    field: str | None = None
    retry_after: float | None = None


class Malformed(Exception):
    """An argument is missing or wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


#: Reads the first argument of a client event. Raises Malformed.
Reading = Callable[[Any], Command]


def read(table: Mapping[str, Reading], event: str, arguments: tuple[Any, ...]) -> Command | Fault:
    """The command of a client event; arguments after the first are ignored."""
    reading = table.get(event)
    if reading is None:
        return Fault("UNKNOWN_EVENT", f"there is no event {event[:_MAX_TEXT]!r} here", "event")
    try:
        return reading(arguments[0] if arguments else None)
    except Malformed as error:
        return Fault("INVALID_ARGUMENT", str(error), error.field)


def text(data: Any, *names: str, longest: int = _MAX_TEXT) -> str:
    """The first of these fields that is there; `data` itself where it is a text."""
    value = data if isinstance(data, str) else _member(data, *names)
    if not isinstance(value, str) or not value.strip():
        raise Malformed(names[0], "a text is needed here")
    if len(value) > longest or "\0" in value:
        raise Malformed(names[0], f"at most {longest} characters, none of them NUL")
    return value.strip()


def identifier(data: Any, *names: str) -> UUID:
    """A notification's id."""
    try:
        return UUID(text(data, *names))
    except ValueError:
        raise Malformed(names[0], "this is not the id of a notification") from None


def _member(data: Any, *names: str) -> Any:
    if not isinstance(data, dict):
        return None
    return next((data[name] for name in names if data.get(name) is not None), None)


def _types(data: Any) -> tuple[str, ...]:
    value = data if isinstance(data, list) else _member(data, "types", "type")
    if isinstance(value, list):
        if len(value) > _MAX_TYPES:
            raise Malformed("types", f"at most {_MAX_TYPES}")
        return tuple(dict.fromkeys(text(kind, "types") for kind in value))
    return () if data is None or data == {} else (text(data, "type", "types"),)


def _subscribe(data: Any) -> Subscribe:
    types = _types(data)
    if not types:
        raise Malformed("type", "a text is needed here")
    return Subscribe(types)


def _status(data: Any) -> UpdatePresence:
    status = text(data, "status")
    custom = _member(data, "customStatus")
    if status not in _STATUSES:
        raise Malformed("status", f"one of {', '.join(_STATUSES)} is needed here")
    keeps = not isinstance(data, dict) or "customStatus" not in data
    return UpdatePresence(status, None if custom is None else text(custom, "customStatus"), keeps)


def _join(data: Any) -> JoinRoom:
    grant = _member(data, "grant")
    return JoinRoom(
        text(data, "room", longest=_MAX_ROOM), None if grant is None else text(grant, "grant", longest=_MAX_TOKEN)
    )


def _presence(data: Any) -> GetPresence:
    users = _member(data, "userIds")
    if users is None:
        return GetPresence()
    if not isinstance(users, list) or len(users) > _MAX_PEOPLE:
        raise Malformed("userIds", f"a list of at most {_MAX_PEOPLE} is needed here")
    return GetPresence(tuple(text(user, "userIds") for user in users))


def _ephemeral(data: Any) -> SendEphemeral:
    payload = _member(data, "payload")
    if not isinstance(data, dict) or not isinstance(payload, dict | None):
        raise Malformed("payload", "an object is needed here")
    return SendEphemeral(text(data, "room", longest=_MAX_ROOM), text(data, "event"), payload or {})


def _typing(started: bool) -> Reading:
    def reading(data: Any) -> Typing:
        if not isinstance(data, dict):
            raise Malformed("resourceType", "a text is needed here")
        return Typing(text(data, "resourceType"), text(data, "resourceId"), started)

    return reading


#: What works in every namespace, under the names of the document that has it.
COMMON: Mapping[str, Reading] = {
    "authenticate": lambda data: Authenticate(text(data, "token", longest=_MAX_TOKEN)),
    "ping": lambda _data: Ping(),
    "joinRoom": _join,
    "leaveRoom": lambda data: LeaveRoom(text(data, "room", longest=_MAX_ROOM)),
    "getPresence": _presence,
    "presence:update": _status,
    "typing:start": _typing(True),
    "typing:stop": _typing(False),
    "ephemeral": _ephemeral,
    "subscribe": _subscribe,
    "unsubscribe": lambda data: Unsubscribe(_types(data)),
    "ack": lambda data: Acknowledge(identifier(data, "notificationId", "id")),
    "markNotificationRead": lambda data: MarkRead(identifier(data, "notificationId", "id")),
}
