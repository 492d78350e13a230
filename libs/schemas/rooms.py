"""Room names: how an audience is addressed, in which order rooms stand in a notification, and which are logs."""

from __future__ import annotations

import re
from collections.abc import Iterable

TENANT = "tenant"
BROADCAST = "broadcast"

#: How the type of a resource may be named, apart from what is reserved.
RESOURCE_TYPE = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
_MAX_NAME = 200

# The fixed order of rooms in a notification: the most personal first, because a person is shown a notification
# in the first of its rooms that they may read.
_ORDER = ("user", "agent", "topic", "dept", "role", "org", TENANT, BROADCAST)
_RANK = {kind: rank for rank, kind in enumerate(_ORDER)}
_RESERVED = frozenset(_ORDER) | {"session", "res", "state"}


def user(user_id: str) -> str:
    """The room of one person."""
    return f"user:{user_id}"


def agent(agent_id: str) -> str:
    """The room of one agent."""
    return f"agent:{agent_id}"


def org(org_id: str) -> str:
    """The room of an organisation's members."""
    return f"org:{org_id}"


def dept(department: str) -> str:
    """The room of a department."""
    return f"dept:{department}"


def role(name: str) -> str:
    """The room of everybody with a role in the tenant."""
    return f"role:{name}"


def topic(name: str) -> str:
    """The room of a topic's subscribers."""
    return f"topic:{name}"


def session(session_id: str) -> str:
    """One session: live only, without a log."""
    return f"session:{session_id}"


def resource(resource_type: str, resource_id: str) -> str:
    """Whoever looks at a resource now: live only, without a log (S15)."""
    return f"res:{resource_type}:{resource_id}"


def is_resource_type(name: str) -> bool:
    """Whether resources may be of this type: the kinds of the platform's own rooms are reserved."""
    return name not in _RESERVED and re.fullmatch(RESOURCE_TYPE, name) is not None


def is_session(name: str) -> bool:
    """Whether a session may be named so in a room."""
    return 0 < len(name) <= _MAX_NAME and name.isprintable()


def kind(room: str) -> str:
    """`user` of `user:7`, `tenant` of `tenant`."""
    return room.partition(":")[0]


def is_personal(room: str) -> bool:
    """Whether the room belongs to exactly one person or agent."""
    return room.startswith(("user:", "agent:"))


def is_log(room: str) -> bool:
    """Whether the room is a log in PostgreSQL; sessions and resources are live only."""
    return kind(room) in _RANK


def ordered(rooms: Iterable[str]) -> tuple[str, ...]:
    """The rooms without repeats, in the fixed order: by kind, then by name."""
    return tuple(sorted(set(rooms), key=lambda room: (_RANK[kind(room)], room)))
